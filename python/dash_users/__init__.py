"""Fast and safe logins for Dash and Flask apps, and the management of their users.

from dash_users import Users

users = Users()
dash_auth.BasicAuth(app, auth_func=users.auth_func, user_groups=users.user_groups, …)
"""

from ._core import Limits
from ._errors import (
    Busy,
    DatabaseError,
    Error,
    InvalidData,
    Limited,
    NoSuchUser,
    UserExists,
    WeakPassword,
    WrongPassword,
)
from ._types import Event, LogIn, User
from ._users import Users

__all__ = [
    "Busy",
    "DatabaseError",
    "Error",
    "Event",
    "InvalidData",
    "Limited",
    "Limits",
    "LogIn",
    "NoSuchUser",
    "User",
    "UserExists",
    "Users",
    "WeakPassword",
    "WrongPassword",
]
