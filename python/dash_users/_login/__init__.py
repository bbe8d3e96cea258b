"""The parts of `dash_users.dash.LoginAuth`."""
