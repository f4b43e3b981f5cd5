"""Letters by mail: kept until they are sent, sent once."""
