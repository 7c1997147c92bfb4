import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The models here are so small that threads only wait for each other."""
    torch.set_num_threads(1)
