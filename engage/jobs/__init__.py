"""Durable work in the background: what was begun is finished, whatever happens to the machine in between.

`worker.py` keeps the room (DBOS), `letters.py` and `packets.py` are what is done there; `drawing.py` is the drawing
itself, which the command line does too. Only the first three load DBOS: serving processes never carry it."""
