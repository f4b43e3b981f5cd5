"""Staff accounts, their roles, and their schools."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.storage.models.base import DIGEST, Base
from engage.storage.models.schools import School

staff_roles = Table(
    "staff_roles",
    Base.metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("role_id", ForeignKey("roles.id"), primary_key=True),
)
staff_schools = Table(
    "staff_schools",
    Base.metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("school_id", ForeignKey("schools.id"), primary_key=True),
)


class Role(Base):
    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    """administrator, liaison, leader or translator."""
    description: Mapped[str | None] = mapped_column(String(255))


class Organisation(Base):
    """A partner organization that works with families, such as a community center or a congregation."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class Staff(Base):
    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    """The id of the person in session cookies. Changing it signs the person out everywhere."""
    language: Mapped[str] = mapped_column(String(20), default="en")
    """The language of staff pages."""
    create_datetime: Mapped[datetime | None]

    roles: Mapped[list[Role]] = relationship(secondary=staff_roles, lazy="selectin")
    schools: Mapped[list[School]] = relationship(secondary=staff_schools, order_by=School.name, lazy="selectin")
    """The schools a liaison works with; empty for roles that see the whole district."""
    languages: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    """Language tags separated by spaces: the conversations and sheets this person works with. Empty for all."""
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    """None for the district's own staff."""

    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    """"authenticator" if a code from an app is required."""
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    """The last time step used, a space, and the app's secret, encrypted (engage/domain/security/totp_secrets.py)."""
    mf_recovery_codes: Mapped[str | None] = mapped_column(Text)
    """Digests of the recovery codes, separated by commas."""
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The user handle for passkeys: random, 64 hex digits."""
    forgotten_at: Mapped[datetime | None]
    """When a password reset was last requested."""

    organisation: Mapped[Organisation | None] = relationship(lazy="selectin")


class Passkey(Base):
    """A passkey in a person's browser or device (W3C Web Authentication)."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int | None] = mapped_column(default=0)
    transports: Mapped[str | None] = mapped_column(Text)
    backup_state: Mapped[bool]
    device_type: Mapped[str] = mapped_column(String(64))
    extensions: Mapped[str | None] = mapped_column(String(255))
    usage: Mapped[str] = mapped_column(String(64))
    create_datetime: Mapped[datetime]
    lastuse_datetime: Mapped[datetime]


class StaffSession(Base):
    """A signed-in browser. It can be signed out from another one. No IP address or browser name is stored."""

    __tablename__ = "staff_sessions"

    id: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    """SHA-256 of the secret in the cookie."""
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """Updated at most once a minute."""
    strong: Mapped[bool] = mapped_column(default=False)
    """Whether a second factor, a passkey, or the district's single sign-on was used."""
    by: Mapped[str] = mapped_column(String(40), default="")
    """password, passkey, code, or the name of a provider."""


class StaffIdentity(Base):
    """A person's identity at a sign-in provider: at most one account of each provider."""

    __tablename__ = "staff_identities"
    __table_args__ = (UniqueConstraint("provider", "staff_id"),)

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
