"""The menu of the staff pages: sections, their pages, and the current one. Each site adds its own pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, Flask, current_app, g, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_login import current_user

from engage.web.page_language import gettext
from engage.web.permissions import HOME, is_allowed, person
from engage.web.role_labels import account_summary

EXTENSION = "engage.menu"


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A page of the menu. Pages below its address belong to it, and so do the endpoints in `covers`."""

    section: str
    position: int
    """Its position among the pages of its section, from 1."""
    permission: str
    endpoint: str
    label: Callable[[], str]
    """Its label in the language of the page."""
    covers: Sequence[str] = ()
    count_waiting: Callable[[], int] | None = None
    """The number of families that wait for an action on it, shown beside the label."""
    also_needs: str | None = None
    """An additional permission that is required in this section."""
    shown_without: str | None = None
    """A permission that hides it in this section."""

    def is_visible(self) -> bool:
        """Whether the signed-in person sees it in the menu."""
        if not is_allowed(self.permission) or (self.also_needs and not is_allowed(self.also_needs)):
            return False
        return not (self.shown_without and is_allowed(self.shown_without))


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of the menu as shown on a page."""

    label: str
    address: str
    current: str
    """The value of `aria-current`: "page" for the current page, "true" for the page it belongs to, empty for others."""
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Menu:
    """The sections, and the pages of the current section if it has more than one."""

    sections: list[MenuEntry]
    pages: list[MenuEntry]


def section_labels() -> dict[str, str]:
    """The labels of the sections, in order."""
    return {
        # translators: menu: the first page after signing in
        "home": gettext("Home"),
        # translators: menu: surveys that were opened, and what is done before one is
        "surveys": gettext("Surveys"),
        # translators: menu: print paper forms, and enter what came back
        "paper": gettext("Paper"),
        # translators: menu: questions of families, and what the school answers
        "conversations": gettext("Conversations"),
        # translators: menu: figures, and what the district promised
        "results": gettext("Results"),
        # translators: menu: the district's list of schools, students and guardians
        "roster": gettext("Roster"),
        # translators: menu: what is translated, for somebody who translates
        "translations": gettext("Translations"),
        # translators: menu: staff, privacy notice, audit log
        "administration": gettext("Administration"),
    }


def add_pages(blueprint: Blueprint, *pages: MenuPage) -> None:
    """Add pages to the menu of every app that registers the blueprint."""

    def register(setup: BlueprintSetupState) -> None:
        setup.app.extensions.setdefault(EXTENSION, []).extend(pages)

    blueprint.record(register)


def visible_pages() -> list[MenuPage]:
    """The menu pages of the signed-in person, by section and position."""
    order = list(section_labels())
    pages: list[MenuPage] = current_app.extensions.get(EXTENSION, [])
    return sorted(
        (page for page in pages if page.is_visible()), key=lambda page: (order.index(page.section), page.position)
    )


def build_menu() -> Menu:
    """The menu of the signed-in person."""
    pages = visible_pages()
    current = _find_current(pages)
    grouped = {name: [page for page in pages if page.section == name] for name in section_labels()}
    sections = [
        _section_entry(name, section_pages, current) for name, section_pages in grouped.items() if section_pages
    ]
    below = grouped[current.section] if current else []
    return Menu(sections, [_page_entry(page, current) for page in below] if len(below) > 1 else [])


def _section_entry(name: str, pages: Sequence[MenuPage], current: MenuPage | None) -> MenuEntry:
    here = current is not None and current.section == name
    exact = here and len(pages) == 1 and request.endpoint == pages[0].endpoint
    counted = [] if g.get("is_failing") else [page.count_waiting for page in pages if page.count_waiting]
    current_value = "page" if exact else "true" if here else ""
    return MenuEntry(
        section_labels()[name], url_for(pages[0].endpoint), current_value, sum(count() for count in counted)
    )


def _page_entry(page: MenuPage, current: MenuPage | None) -> MenuEntry:
    here = "" if page is not current else "page" if request.endpoint == page.endpoint else "true"
    return MenuEntry(page.label(), url_for(page.endpoint), here)


def _find_current(pages: Sequence[MenuPage]) -> MenuPage | None:
    """The current page, or the one that it belongs to: by endpoint, else by its own address (a submitted form), or by
    the longest address above it."""
    for page in pages:
        if request.endpoint == page.endpoint or request.endpoint in page.covers:
            return page
    above = [page for page in pages if _is_below(request.path, url_for(page.endpoint))]
    return max(above, key=lambda page: len(url_for(page.endpoint)), default=None)


def _is_below(path: str, address: str) -> bool:
    return address != HOME and (path == address or path.startswith(address.rstrip("/") + "/"))


def _is_signed_in() -> bool:
    """Whether somebody is signed in. While the database is away, nobody is who has not been read before."""
    return (hasattr(g, "_login_user") or not g.get("is_database_away")) and bool(current_user.is_authenticated)


def install(app: Flask) -> None:
    """Register the menu for templates."""
    app.jinja_env.globals.update(
        menu=build_menu,
        home_address=HOME,
        allowed=is_allowed,
        account_summary=lambda: account_summary(person()),
        account_name=lambda: person().name or person().email,
        signed_in=_is_signed_in,
        reminder=lambda: bool(g.get("reminder")),
    )
