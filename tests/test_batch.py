"""What a batch plans, refuses, and carries on with; the denoising itself is faked here."""

from pathlib import Path

import pytest

from fadn_cli import batch, pipeline
from fadn_cli.errors import FadnError, OutputExistsError, RawReadError, WriteError
from fadn_cli.report import FileFinished, FileStarted, TileFinished
from tests.reports import make_report

OPTIONS = pipeline.DenoiseOptions()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with two raws and one below."""
    monkeypatch.chdir(tmp_path)
    return fill(Path("in"), "a.NEF", "b.dng", "deep/c.ARW").resolve()


@pytest.fixture
def unreadable(monkeypatch):
    """Names of files that cannot be read; all others can. Lists those that were looked into."""
    names = {}

    def inspect_file(path):
        names.setdefault("inspected", []).append(path.name)
        if path.name in names:
            raise names[path.name]

    monkeypatch.setattr(pipeline, "inspect_file", inspect_file)
    return names


@pytest.fixture
def denoised(monkeypatch):
    """Fake the denoising: writes a file, or raises what `denoised.errors` has for the name."""

    class Fake:
        errors: dict[str, BaseException] = {}
        calls: list[Path] = []

    fake = Fake()
    fake.errors, fake.calls = {}, []

    def denoise_file(path, output, options, *, on_tile=None):
        fake.calls.append(path)
        if path.name in fake.errors:
            raise fake.errors[path.name]
        for done in (1, 2):
            on_tile(done, 2)
        output.write_bytes(b"denoised")
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    return fake


def fill(folder, *names):
    """Create empty files and the folders above them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def outputs(plan, folder):
    return [str(job.output.relative_to(folder)) for job in plan.jobs]


def test_outputs_lie_beside_their_sources(folder):
    plan = batch.plan([folder], recursive=True)

    assert ["a_denoised.dng", "b_denoised.dng", "deep/c_denoised.dng"] == outputs(plan, folder)
    assert "dng" == plan.format


def test_suffix_and_format_make_the_name(folder):
    plan = batch.plan([folder / "a.NEF"], suffix=".clean", format="tiff")

    assert ["a.clean.tif"] == outputs(plan, folder)


@pytest.mark.parametrize(
    ("name", "format"), [("x.dng", "dng"), ("x.tif", "tiff"), ("x.TIFF", "tiff")]
)
def test_one_file_may_name_its_output_and_so_its_format(folder, name, format):
    plan = batch.plan([folder / "a.NEF"], output=folder / "new" / name)

    assert [f"new/{name}"] == outputs(plan, folder)
    assert format == plan.format
    assert plan == batch.plan([folder / "a.NEF"], output=folder / "new" / name, format=format)


def test_a_format_that_contradicts_the_output_is_a_matter_of_usage(folder):
    with pytest.raises(batch.PlanError, match=r"tiff.*x\.dng"):
        batch.plan([folder / "a.NEF"], output=Path("x.dng"), format="tiff")


@pytest.mark.parametrize("output", ("out", "out.v2", "out.jpg"))
def test_any_other_output_is_a_folder(folder, output):
    plan = batch.plan([folder / "a.NEF"], output=folder / output)

    assert [f"{output}/a_denoised.dng"] == outputs(plan, folder)


@pytest.mark.parametrize("inputs", (["a.NEF", "b.dng"], ["."], ["deep"]))
def test_an_output_for_several_files_or_a_folder_is_a_folder(folder, inputs):
    plan = batch.plan([folder / name for name in inputs], output=folder / "x.dng")

    assert {"x.dng"} == {Path(output).parts[0] for output in outputs(plan, folder)}


def test_an_existing_folder_stays_one_whatever_its_name(folder):
    (folder / "x.dng").mkdir()

    plan = batch.plan([folder / "a.NEF"], output=folder / "x.dng")

    assert ["x.dng/a_denoised.dng"] == outputs(plan, folder)


def test_a_file_where_the_output_folder_should_be_is_a_matter_of_usage(folder):
    fill(folder, "out")

    with pytest.raises(batch.PlanError, match="out is neither a folder"):
        batch.plan([folder / "a.NEF"], output=folder / "out")


def test_recursion_mirrors_the_tree_in_the_output_folder(folder):
    plan = batch.plan([folder], output=folder / "out", recursive=True)

    assert [
        "out/a_denoised.dng",
        "out/b_denoised.dng",
        "out/deep/c_denoised.dng",
    ] == outputs(plan, folder)


@pytest.mark.parametrize("suffix", ("/x", "..\\x", "a\0"))
def test_a_suffix_that_leads_elsewhere_is_a_matter_of_usage(folder, suffix):
    with pytest.raises(batch.PlanError, match="suffix"):
        batch.plan([folder], suffix=suffix)


@pytest.mark.parametrize("second", ("x.dng", "X.DNG", "x.Nef"))
def test_two_sources_that_want_one_output_are_refused_and_both_named(tmp_path, unreadable, second):
    fill(tmp_path, "x.nef", second)

    with pytest.raises(FadnError, match="both want") as caught:
        batch.plan([tmp_path / "x.nef", tmp_path / second])

    assert str(tmp_path / "x.nef") in str(caught.value)
    assert str(tmp_path / second) in str(caught.value)


def test_a_file_that_cannot_be_denoised_wants_no_output(tmp_path, unreadable):
    fill(tmp_path, "x.cr2", "x.cr3", "x.crw", "y.dng")
    unreadable["x.cr2"] = RawReadError("x.cr2: truncated")
    unreadable["x.crw"] = ZeroDivisionError("oops")

    plan = batch.plan([tmp_path])

    assert ["x_denoised.dng", "y_denoised.dng"] == outputs(plan, tmp_path)
    assert ["x.cr3", "y.dng"] == [job.source.name for job in plan.jobs]
    assert ["x.cr2: truncated", "x.crw: internal error: ZeroDivisionError: oops"] == [
        str(failure.error) for failure in plan.failures
    ]
    assert "y.dng" not in unreadable["inspected"]


def test_two_folders_with_the_same_names_do_not_fit_one_output_folder(tmp_path, unreadable):
    fill(tmp_path, "one/a.dng", "two/a.dng")

    with pytest.raises(FadnError, match="both want"):
        batch.plan([tmp_path / "one", tmp_path / "two"], output=tmp_path / "out")


@pytest.mark.parametrize("overwrite", (False, True))
def test_no_source_is_ever_an_output(tmp_path, overwrite):
    fill(tmp_path, "a.dng", "a_denoised.dng")
    paths = [tmp_path / "a.dng", tmp_path / "a_denoised.dng"]

    with pytest.raises(WriteError, match=r"replace the source .*a_denoised\.dng"):
        batch.plan(paths, overwrite=overwrite)
    with pytest.raises(WriteError, match="replace the source"):
        batch.plan(paths[:1], suffix="", overwrite=overwrite)


def test_a_source_is_not_replaced_through_a_link(tmp_path):
    fill(tmp_path, "a.dng")
    (tmp_path / "a_denoised.dng").symlink_to("a.dng")

    with pytest.raises(WriteError, match="replace the source"):
        batch.plan([tmp_path / "a.dng"], overwrite=True)


def test_existing_outputs_fail_alone_unless_overwriting(folder):
    fill(folder, "a_denoised.dng")
    paths = [folder / "a.NEF", folder / "b.dng"]

    careful = batch.plan(paths)
    bold = batch.plan(paths, overwrite=True)

    assert ["b_denoised.dng"] == outputs(careful, folder)
    assert [OutputExistsError] == [type(failure.error) for failure in careful.failures]
    assert ["a_denoised.dng", "b_denoised.dng"] == outputs(bold, folder)
    assert (2, 2) == (careful.count, bold.count)


def test_a_broken_link_in_the_outputs_place_counts_as_existing(folder):
    (folder / "a_denoised.dng").symlink_to("gone")

    assert len(batch.plan([folder / "a.NEF"]).failures) == 1


def test_planning_creates_nothing(folder):
    before = sorted(folder.rglob("*"))

    batch.plan([folder], output=folder / "out", recursive=True)

    assert before == sorted(folder.rglob("*"))


def test_marked_files_are_skipped_as_the_pipeline_knows_them(folder, monkeypatch):
    monkeypatch.setattr(pipeline, "is_marked", lambda path: path.name == "a.NEF")

    plan = batch.plan([folder])

    assert ["b_denoised.dng"] == outputs(plan, folder)
    assert [folder / "a.NEF"] == [skipped.source for skipped in plan.skipped]


def test_a_batch_denoises_everything_and_tells_how_it_goes(folder, denoised):
    plan = batch.plan([folder], output=folder / "out", recursive=True)
    events = []

    result = batch.run(plan, OPTIONS, on_event=events.append)

    assert [job.source for job in plan.jobs] == denoised.calls
    assert all(job.output.read_bytes() == b"denoised" for job in plan.jobs)
    assert [job.output for job in plan.jobs] == [report.output for report in result.denoised]
    assert 0 == result.exit_code
    kinds = [type(event) for event in events]
    assert [FileStarted, TileFinished, TileFinished, FileFinished] * 3 == kinds
    assert [(1, 3), (2, 3), (3, 3)] == [
        (event.index, event.count) for event in events if isinstance(event, FileStarted)
    ]


def test_a_bad_file_does_not_stop_the_others(folder, denoised):
    denoised.errors["a.NEF"] = RawReadError("a.NEF: truncated")
    plan = batch.plan([folder / "gone.dng", folder / "a.NEF", folder / "b.dng"])

    result = batch.run(plan, OPTIONS)

    assert [folder / "b.dng"] == [report.source for report in result.denoised]
    assert ["no such file", "truncated"] == [
        str(error).split(": ")[1][:12].strip() for error in result.errors
    ]
    assert 1 == result.exit_code


def test_a_single_bad_file_exits_with_its_own_code(folder, denoised):
    denoised.errors["a.NEF"] = RawReadError("a.NEF: truncated")

    assert 3 == batch.run(batch.plan([folder / "a.NEF"]), OPTIONS).exit_code


def test_a_bug_fails_its_file_in_a_batch_and_keeps_its_traceback(folder, denoised):
    denoised.errors["a.NEF"] = ZeroDivisionError("division by zero")

    result = batch.run(batch.plan([folder]), OPTIONS)

    failed = next(entry for entry in result.results if entry.error is not None)
    assert "a.NEF: internal error: ZeroDivisionError: division by zero" == str(failed.error)
    assert failed.traceback.startswith("Traceback")
    assert [folder / "b.dng"] == [report.source for report in result.denoised]
    assert 1 == result.exit_code


def test_a_bug_with_a_single_file_comes_out_as_it_is(folder, denoised):
    denoised.errors["a.NEF"] = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        batch.run(batch.plan([folder / "a.NEF"]), OPTIONS)


def test_ctrl_c_ends_the_batch_and_keeps_what_is_finished(folder, denoised):
    denoised.errors["b.dng"] = KeyboardInterrupt()

    result = batch.run(batch.plan([folder], recursive=True), OPTIONS)

    assert 130 == result.exit_code
    assert [folder / "a.NEF"] == [report.source for report in result.denoised]
    assert (folder / "a_denoised.dng").exists()
    assert [folder / "a.NEF", folder / "b.dng"] == denoised.calls


def test_an_output_folder_that_cannot_be_made_fails_its_file(folder, denoised):
    fill(folder, "wall")
    jobs = (
        batch.Job(source=folder / "a.NEF", output=folder / "wall" / "in" / "a.dng"),
        batch.Job(source=folder / "b.dng", output=folder / "out" / "b.dng"),
    )

    result = batch.run(batch.Plan(jobs=jobs, format="dng"), OPTIONS)

    assert [WriteError] == [type(error) for error in result.errors]
    assert [folder / "b.dng"] == denoised.calls


def test_options_reach_the_pipeline(folder, monkeypatch):
    seen = []

    def denoise_file(path, output, options, *, on_tile=None):
        seen.append(options)
        return make_report(path, output)

    monkeypatch.setattr(pipeline, "denoise_file", denoise_file)
    options = pipeline.DenoiseOptions(strength=0.5, format="tiff")

    batch.run(batch.plan([folder], format="tiff"), options)

    assert [options, options] == seen
