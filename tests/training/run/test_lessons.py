"""A student learns from what a teacher made of noisy patches, as much as its config says."""

import dataclasses

import pytest

torch = pytest.importorskip("torch")

from fadn_cli.training.network.config import StudentConfig  # noqa: E402
from fadn_cli.training.network.model import Denoiser, Student  # noqa: E402
from fadn_cli.training.run.batches import make_batch  # noqa: E402
from fadn_cli.training.run.config import TrainConfig  # noqa: E402
from fadn_cli.training.run.lessons import from_steps, load_lessons, to_steps  # noqa: E402
from fadn_cli.training.run.state import Run  # noqa: E402
from fadn_cli.training.run.teach import make_lessons  # noqa: E402
from fadn_cli.training.run.train import next_batch, train  # noqa: E402

TINY = StudentConfig(widths=(8, 8, 8), embedding=4)
CONFIG = TrainConfig(network=TINY, steps=10, batch=2, patch=16, bfloat16=False)


@pytest.fixture(scope="module")
def teacher():
    torch.manual_seed(4)
    model = Denoiser(Student(TINY)).eval()
    torch.nn.init.normal_(model.student.leave.weight, std=0.02)
    return model


@pytest.fixture
def lessons(teacher, photos):
    return make_lessons(CONFIG, teacher, photos, 5)


def test_samples_come_back_to_half_a_step():
    x = torch.linspace(-0.5, 1.5, 999)

    torch.testing.assert_close(from_steps(to_steps(x)), x, atol=1.6e-5, rtol=0)


def test_the_teacher_is_told_what_the_student_is(lessons, teacher):
    assert len(lessons) == 6  # whole batches

    noisy = from_steps(lessons.noisy)
    with torch.no_grad():
        expected = teacher(noisy, lessons.shot, lessons.read)

    assert (expected - noisy).abs().max() > 1e-3
    torch.testing.assert_close(from_steps(lessons.taught), expected, atol=1e-3, rtol=0)


def test_the_target_goes_from_the_teachers_output_to_the_clean_patch(lessons, photos, tmp_path):
    config = dataclasses.replace(CONFIG, lessons="x", taught=(0.5, 0.0))
    run = Run(folder=tmp_path, config=config, model=None, optimizers=[], lessons=lessons)

    for step, share in ((0, 0.5), (5, 0.25), (10, 0.0)):
        run.step = step
        noisy, target, *_ = next_batch(run, photos)
        index = [int((to_steps(each) == lessons.noisy).all((1, 2, 3)).nonzero()) for each in noisy]
        clean, taught = (from_steps(part[index]) for part in (lessons.clean, lessons.taught))
        torch.testing.assert_close(target, clean + share * (taught - clean), atol=1e-6, rtol=0)


def test_no_run_draws_the_patches_of_its_lessons(lessons, photos):
    noisy = torch.cat([make_batch(photos, CONFIG, step)[0] for step in range(3)])

    assert not torch.equal(to_steps(noisy), lessons.noisy)


def test_a_run_learns_from_a_file(lessons, photos, tmp_path):
    lessons.save(tmp_path / "tiny.lessons")
    assert torch.equal(load_lessons(tmp_path / "tiny.lessons").taught, lessons.taught)

    config = dataclasses.replace(CONFIG, steps=2, lessons="tiny.lessons", taught=(0.9, 0.0))
    (tmp_path / "run").mkdir()
    assert train(config, photos, tmp_path / "run", minutes=9).exists()


def test_a_teacher_for_other_sensors_is_refused(teacher, photos):
    mono = dataclasses.replace(
        CONFIG, network=StudentConfig(inputs="mono-bands-18", widths=(8, 8, 8))
    )

    with pytest.raises(ValueError, match="bayer sensors, the student for mono"):
        make_lessons(mono, teacher, photos, 1)


def test_a_share_of_no_lessons_is_refused():
    with pytest.raises(ValueError, match="lessons are missing"):
        TrainConfig(network=TINY, patch=16, taught=(0.9, 0.0))
