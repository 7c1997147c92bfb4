import pytest

# The suites hold the assertions, so they are rewritten like test modules: before any test imports them.
pytest.register_assert_rewrite("tests.conformance")
