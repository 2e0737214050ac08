"""What holds for all tests."""

from hypothesis import settings

from tests.worlds import store

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# Before there are other processes, which then know where it is.
store()
