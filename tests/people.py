"""Simulated visitors, whose methods are verbs. Every page they open is checked by tests/hygiene.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.test import Client, TestResponse

from engage.services.waves.wave_drafts import STEPS
from engage.sites.family.device_secret import cookie_name
from tests.hygiene import Element, check, read


class Visitor:
    """A person with a browser without JavaScript."""

    def __init__(self, site: Any, base_url: str = "http://localhost") -> None:
        self.client = Client(site, TestResponse)
        self.base_url = base_url
        self.path = "/"
        self.response: TestResponse
        self.page: Element

    def opens(self, path: str, status: int = 200) -> Visitor:
        """Open a URL of the site and follow redirects."""
        self._goes("GET", path, None, status)
        return self

    def sends(self, *, button: str | None = None, status: int = 200, **values: Any) -> Visitor:
        """Fill in a form of the page and send it.

        The form is the one whose button has this text, or the last in the main part. Fields that are not given have the
        page's values; a list gives a field several values; None empties it.
        """
        form = self._form(button)
        known = [one.get("name") for one in form.all("input", "select", "textarea", "button")]
        for name in values:
            assert name in known, f"the form has no field {name!r}; it has {known}"
        data = filled(form)
        pressed = next((one for one in form.all("button") if button in (None, one.text)), None)
        if pressed is not None and pressed.get("name"):
            data.add(pressed.attributes["name"], pressed.get("value") or "")
        for name, value in values.items():
            data.setlist(name, [] if value is None else value if isinstance(value, list) else [str(value)])
        if (form.get("method") or "get").lower() == "get":
            raise AssertionError("a form that is sent with GET: open its address instead")
        address = (pressed and pressed.get("formaction")) or form.get("action") or self.path
        self._goes("POST", address, data, status)
        return self

    def follows(self, words: str) -> Visitor:
        """Follow the link with this text."""
        links = [link for link in self.page.all("a") if link.text == words]
        assert links, f"no link {words!r}; there are {[link.text for link in self.page.all('a')]}"
        return self.opens(links[0].attributes["href"])

    def sees(self, *words: str) -> Visitor:
        """Assert that the page has these texts."""
        for one in words:
            assert one in self.page.text, f"{one!r} is not in: {self.page.text}"
        return self

    def sees_no(self, *words: str) -> Visitor:
        """Assert that the page has none of these texts."""
        for one in words:
            assert one not in self.page.text, f"{one!r} is in: {self.page.text}"
        return self

    @property
    def language(self) -> str:
        """The language that the page declares."""
        return next(self.page.all("html")).attributes["lang"]

    def field(self, name: str) -> str | None:
        """Return the value of a field on the page."""
        return filled(self._form_with(name)).get(name)

    def _goes(self, method: str, path: str, data: MultiDict[str, str] | None, status: int) -> None:
        path = urljoin(self.path, path)
        for _ in range(5):
            self.response = self.client.open(path, method=method, data=data, base_url=self.base_url)
            self.path = path
            if self.response.status_code not in (301, 302, 303, 307, 308):
                break
            target = urlsplit(urljoin(self.base_url + path, self.response.location))
            assert target.netloc == urlsplit(self.base_url).netloc, f"sent away to {self.response.location}"
            path = target.path + (f"?{target.query}" if target.query else "")
            if self.response.status_code not in (307, 308):  # these statuses repeat the same form
                method, data = "GET", None
        assert self.response.status_code == status, f"{path}: {self.response.status}\n{self.response.text[:2000]}"
        if self.response.mimetype == "text/html":
            self.page = read(self.response.text)
            check(self.page)

    def _form(self, button: str | None) -> Element:
        forms = list(next(self.page.all("main")).all("form"))
        if button is not None:
            everywhere = list(self.page.all("form"))
            forms = [form for form in everywhere if button in [one.text for one in form.all("button")]]
            assert forms, f"no form with the button {button!r}"
            return forms[0]
        assert forms, f"no form on {self.path}"
        return forms[-1]

    def _form_with(self, name: str) -> Element:
        for form in self.page.all("form"):
            if any(one.get("name") == name for one in form.all("input", "select", "textarea")):
                return form
        raise AssertionError(f"no field {name!r} on {self.path}")


def filled(form: Element) -> MultiDict[str, str]:
    """What a browser sends of a form that nobody has touched."""
    data: MultiDict[str, str] = MultiDict()
    for one in form.all("input", "select", "textarea"):
        name, kind = one.get("name"), one.get("type") or "text"
        if not name or "disabled" in one.attributes or kind in ("submit", "button", "file"):
            continue
        if one.tag == "textarea":
            data.add(name, "".join(str(each) for each in one.inside).removeprefix("\n"))
        elif one.tag == "select":
            options = list(one.all("option"))
            chosen = [option for option in options if "selected" in option.attributes] or options[:1]
            for option in chosen:
                data.add(name, option.attributes.get("value", option.text))
        elif kind not in ("radio", "checkbox"):
            data.add(name, one.get("value") or "")
        elif "checked" in one.attributes:
            data.add(name, one.attributes.get("value", "on"))
    return data


def rows(table: Element) -> dict[str, list[str]]:
    """Return a table's cells by the heading of their row."""
    lines = next(table.all("tbody")).all("tr")
    return {next(line.all("th")).text: [cell.text for cell in line.all("td")] for line in lines}


class StaffMember(Visitor):
    """A person who signs in."""

    def signs_in(self, email: str, password: str) -> StaffMember:
        """Open the sign-in page and sign in."""
        self.opens("/staff/login")
        self.sends(email=email, password=password)
        assert urlsplit(self.path).path != "/staff/login", f"did not get in: {self.page.text}"
        return self

    def signs_out(self) -> StaffMember:
        """Press the button at the top of every staff page."""
        self.sends(button="Sign out")
        return self

    def prepares(self, *, stop_at: str = "check", **values: Any) -> StaffMember:
        """Go through the steps of opening a survey with these values, to its check or to another step."""
        self.opens("/staff/district/waves/new")
        for step, names in STEPS.items():
            if step == stop_at:
                return self
            self.sends(button="Continue", **{name: value for name, value in values.items() if name in names})
        return self

    def opens_survey(self, status: int = 200, **values: Any) -> StaffMember:
        """Prepare a survey with these values, and open it."""
        self.prepares(**values).opens_prepared_survey(status)
        return self

    def opens_prepared_survey(self, status: int = 200) -> StaffMember:
        """On the check of a prepared survey, mark that the questions were read, and open it."""
        self.sends(button="Open the survey", status=status, has_read="yes")
        return self


class Liaison(StaffMember):
    """A liaison, who prints, keys, and answers."""

    def takes(self, serial: str, status: int = 200) -> Liaison:
        """Enter the serial of the next sheet."""
        self.opens("/staff/liaison/keying?" + urlencode({"serial": serial}), status)
        return self

    def keys(self, marks: dict[str, Any], status: int = 200) -> Liaison:
        """Key the current sheet by field names ("child.1.device") and save it."""
        self.sends(button="Save this form", status=status, **marks)
        return self

    def answers(self, text: str, language: str | None = None, status: int = 200) -> Liaison:
        """Answer the open conversation."""
        chosen = {"language": language} if language else {}
        self.sends(button="Send the answer", status=status, text=text, **chosen)
        return self


class Leader(StaffMember):
    """A leader, who reads figures, decides, and makes promises."""

    HOME = "/staff/district/checkpoints"

    def plans(self, title: str, meets_on: str, *waves: str) -> Leader:
        """Plan a checkpoint for some waves."""
        self.opens(f"{self.HOME}/new").sends(title=title, meets_on=meets_on, waves=list(waves))
        return self

    def looks_at(self, checkpoint: str) -> Leader:
        """Open a checkpoint."""
        self.opens(f"{self.HOME}/{checkpoint}")
        return self

    def freezes(self, checkpoint: str, status: int = 200) -> Leader:
        """Open the page about freezing, and freeze."""
        self.opens(f"{self.HOME}/{checkpoint}/freeze").sends(status=status)
        return self

    def promises(self, checkpoint: str, **words: Any) -> Leader:
        """Add a promise: `theme`, `you_said`, `we_will` in English, `owner`, `due`, `stage`."""
        fields = {name if name in ("owner", "due", "stage") else f"en-{name}": each for name, each in words.items()}
        self.opens(f"{self.HOME}/{checkpoint}/promises/new").sends(**fields)
        return self

    def publishes(self, checkpoint: str, status: int = 200, **choices: Any) -> Leader:
        """Publish the results for families."""
        self.opens(f"{self.HOME}/{checkpoint}/publish").sends(status=status, **choices)
        return self

    def finding(self, question: str) -> dict[str, list[str]]:
        """Return the table of a question in the open checkpoint: from an answer to the cells beside it."""
        for one in self.page.all("div"):
            if one.get("class") == "finding" and next(one.all("h3")).text == question:
                return rows(next(one.all("table")))
        raise AssertionError(f"no question {question!r} on {self.path}")


class Family(Visitor):
    """A family member with a phone."""

    def begins(self, wave: str, language: str = "en", **values: Any) -> Family:
        """Open a wave's link and press the button at the bottom of the first page."""
        self.opens(f"/{language}/w/{wave}")
        self.sends(**values)
        return self

    def begins_with(self, code: str, language: str = "en") -> Family:
        """Open a personal link and press the button."""
        self.opens(f"/{language}/c/{code}")
        self.sends()
        return self

    def answers(self, answers: dict[str, Any] | None = None, **more: Any) -> Family:
        """Fill in the page by field names ("child.1.device") and continue, even if the page asks once for missing
        answers."""
        self.sends(**(answers or {}), **more)
        if any(one.get("name") == "without" for one in self.page.all("button")):
            self.sends()
        return self

    def walks(self, answers: dict[str, Any]) -> Family:
        """Go through all pages to the review page, with these answers wherever their questions appear."""
        while urlsplit(self.path).path.rpartition("/")[2].isdecimal():
            here = self.path
            known = {one.get("name") for one in self._form(None).all("input", "select", "textarea")}
            self.answers({name: value for name, value in answers.items() if name in known})
            assert self.path != here, f"stays on {here}: {self.page.text}"
        assert self.path.endswith("/check"), self.path
        return self

    def sends_answers(self) -> Family:
        """Press the button that submits."""
        self.sends(button="Send my answers")
        return self

    def speaks(self, tag: str) -> Family:
        """Change the language with the list at the top of the page."""
        for button in self.page.all("button"):
            if button.get("name") == "to" and button.get("value") == tag:
                form = next(one for one in self.page.all("form") if one.get("id") == button.get("form"))
                data = filled(form)
                data.add("to", tag)
                self._goes("POST", form.attributes["action"], data, 200)
                return self
        links = [link for link in self.page.all("a") if link.get("hreflang") == tag]
        assert links, f"no way to {tag} on {self.path}"
        self.opens(links[0].attributes["href"])
        return self

    def cookie(self, wave: str) -> str | None:
        """Return the phone's cookie for a survey."""
        found = self.client.get_cookie(cookie_name(wave, secure=False))
        return found and found.value

    @property
    def reply_code(self) -> str:
        """Return the code on the thanks page."""
        return next(one.text for one in self.page.all("bdi") if one.get("id") == "reply-code")

    def comes_back_with(self, code: str, language: str = "en", status: int = 200) -> Family:
        """Enter a reply code."""
        self.opens(f"/{language}/reply")
        self.sends(code=code, status=status)
        return self
