"""One mutation, one file; listed here."""

from schema.account.mutations.change_password import change_password
from schema.account.mutations.create_invite import create_invite
from schema.account.mutations.login import login
from schema.account.mutations.logout import logout
from schema.account.mutations.refresh_session import refresh_session
from schema.account.mutations.register import register
from schema.account.mutations.update_profile import update_profile

MUTATIONS = [
    register,
    login,
    refresh_session,
    logout,
    change_password,
    update_profile,
    create_invite,
]
