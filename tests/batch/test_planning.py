"""What is planned under which names, and what is refused before any work."""

from pathlib import Path

import pytest

from fadn_cli.batch import planning
from fadn_cli.batch.ledger import Entry, append_entry
from fadn_cli.batch.planning import PlanError, plan
from fadn_cli.batch.sources import Selection
from fadn_cli.errors import RawReadError, WriteError
from tests.making.dng.write import write_dng
from tests.making.folders import fill
from tests.making.mosaics import noisy_samples

DEEP = Selection(recursive=True)


@pytest.fixture
def unreadable(monkeypatch):
    """Names of files that cannot be read; all others can. Lists those that were looked into."""
    names = {}

    def inspect_file(path):
        names.setdefault("inspected", []).append(path.name)
        if path.name in names:
            raise names[path.name]

    monkeypatch.setattr(planning, "inspect_file", inspect_file)
    return names


def outputs(planned, folder):
    return [str(job.output.relative_to(folder)) for job in planned.jobs]


def test_outputs_lie_beside_their_sources(folder):
    planned = plan([folder], selection=DEEP)

    assert ["a_denoised.dng", "b_denoised.dng", "deep/c_denoised.dng"] == outputs(planned, folder)
    assert "dng" == planned.format


def test_suffix_and_format_make_the_name(folder):
    planned = plan([folder / "a.NEF"], suffix=".clean", format="tiff")

    assert ["a.clean.tif"] == outputs(planned, folder)


@pytest.mark.parametrize(
    ("name", "format"), [("x.dng", "dng"), ("x.tif", "tiff"), ("x.TIFF", "tiff")]
)
def test_one_file_may_name_its_output_and_so_its_format(folder, name, format):
    planned = plan([folder / "a.NEF"], output=folder / "new" / name)

    assert [f"new/{name}"] == outputs(planned, folder)
    assert format == planned.format
    assert planned == plan([folder / "a.NEF"], output=folder / "new" / name, format=format)


def test_a_format_that_contradicts_the_output_is_a_matter_of_usage(folder):
    with pytest.raises(PlanError, match=r"tiff.*x\.dng"):
        plan([folder / "a.NEF"], output=Path("x.dng"), format="tiff")


@pytest.mark.parametrize("output", ("out", "out.v2", "out.jpg"))
def test_any_other_output_is_a_folder(folder, output):
    planned = plan([folder / "a.NEF"], output=folder / output)

    assert [f"{output}/a_denoised.dng"] == outputs(planned, folder)


@pytest.mark.parametrize("inputs", (["a.NEF", "b.dng"], ["."], ["deep"]))
def test_an_output_for_several_files_or_a_folder_is_a_folder(folder, inputs):
    planned = plan([folder / name for name in inputs], output=folder / "x.dng")

    assert {"x.dng"} == {Path(output).parts[0] for output in outputs(planned, folder)}


def test_an_existing_folder_stays_one_whatever_its_name(folder):
    (folder / "x.dng").mkdir()

    planned = plan([folder / "a.NEF"], output=folder / "x.dng")

    assert ["x.dng/a_denoised.dng"] == outputs(planned, folder)


def test_a_file_where_the_output_folder_should_be_is_a_matter_of_usage(folder):
    fill(folder, "out")

    with pytest.raises(PlanError, match="out is neither a folder"):
        plan([folder / "a.NEF"], output=folder / "out")


def test_recursion_mirrors_the_tree_in_the_output_folder(folder):
    planned = plan([folder], output=folder / "out", selection=DEEP)

    assert [
        "out/a_denoised.dng",
        "out/b_denoised.dng",
        "out/deep/c_denoised.dng",
    ] == outputs(planned, folder)


@pytest.mark.parametrize("suffix", ("/x", "..\\x", "a\0"))
def test_a_suffix_that_leads_elsewhere_is_a_matter_of_usage(folder, suffix):
    with pytest.raises(PlanError, match="another folder"):
        plan([folder], suffix=suffix)


@pytest.mark.parametrize("second", ("x.dng", "X.DNG", "x.Nef"))
def test_two_sources_that_want_one_output_are_refused_and_both_named(tmp_path, unreadable, second):
    fill(tmp_path, "x.nef", second, "y.dng")

    planned = plan([tmp_path / "x.nef", tmp_path / second, tmp_path / "y.dng"])

    first, other = planned.failures
    assert first.error is other.error
    assert "both want the output" in str(first.error)
    assert "{ext_source}" in first.error.advice
    for result, name in ((first, "x.nef"), (other, second)):
        assert tmp_path / name == result.source
        assert str(tmp_path / name) in str(first.error)
    assert ["y_denoised.dng"] == outputs(planned, tmp_path)


def test_sources_of_one_stem_are_told_apart_by_their_extensions(tmp_path):
    fill(tmp_path, "x.pef", "x.DNG", "y")

    planned = plan(
        [tmp_path / name for name in ("x.pef", "x.DNG", "y")], name="{stem}_{ext_source}{ext}"
    )

    assert ["x_DNG.dng", "x_pef.dng", "y_unknown.dng"] == sorted(outputs(planned, tmp_path))
    assert () == planned.failures


def test_any_number_of_sources_that_want_one_output_is_named(tmp_path, unreadable):
    fill(tmp_path, "x.nef", "x.dng", "x.arw")

    error, *others = [failure.error for failure in plan([tmp_path]).failures]

    assert [error, error] == others
    assert f"x.dng and {tmp_path}/x.nef all want the output" in str(error)


def test_a_file_that_cannot_be_denoised_wants_no_output(tmp_path, unreadable):
    fill(tmp_path, "x.cr2", "x.cr3", "x.crw", "y.dng")
    unreadable["x.cr2"] = RawReadError("x.cr2: truncated")
    unreadable["x.crw"] = ZeroDivisionError("oops")

    planned = plan([tmp_path])

    assert ["x_denoised.dng", "y_denoised.dng"] == outputs(planned, tmp_path)
    assert ["x.cr3", "y.dng"] == [job.source.name for job in planned.jobs]
    assert ["x.cr2: truncated", "x.crw: internal error: ZeroDivisionError: oops"] == [
        str(failure.error) for failure in planned.failures
    ]
    assert "y.dng" not in unreadable["inspected"]


def test_two_folders_with_the_same_names_do_not_fit_one_output_folder(tmp_path, unreadable):
    fill(tmp_path, "one/a.dng", "two/a.dng")

    planned = plan([tmp_path / "one", tmp_path / "two"], output=tmp_path / "out")

    assert () == planned.jobs
    assert ["both want" in str(failure.error) for failure in planned.failures] == [True, True]


def test_no_source_is_ever_an_output(tmp_path):
    fill(tmp_path, "a.dng", "a_denoised.dng")
    paths = [tmp_path / "a.dng", tmp_path / "a_denoised.dng"]

    with pytest.raises(WriteError, match="replace the source"):
        plan(paths[:1], suffix="")
    with pytest.raises(WriteError, match="replace the source"):
        plan(paths, name="{stem}{ext}")


@pytest.mark.parametrize("naming", ("named", "folder"))
def test_an_output_that_is_a_source_stops_no_other_photograph(tmp_path, naming):
    """Another program's "a_denoised.dng" beside "a.dng", in a folder of hundreds."""
    fill(tmp_path, "a.dng", "a_denoised.dng", "b.dng")
    paths = sorted(tmp_path.iterdir()) if naming == "named" else [tmp_path]

    planned = plan(paths)

    [failure] = planned.failures
    assert tmp_path / "a.dng" == failure.source
    assert f"replace the source {tmp_path / 'a_denoised.dng'}" in str(failure.error)
    assert ["a_denoised.dng", "b.dng"] == [job.source.name for job in planned.jobs]
    assert {job.source for job in planned.jobs}.isdisjoint(job.output for job in planned.jobs)


def test_a_source_is_not_replaced_through_a_link(tmp_path):
    fill(tmp_path, "a.dng")
    (tmp_path / "a_denoised.dng").symlink_to("a.dng")

    with pytest.raises(WriteError, match="replace the source"):
        plan([tmp_path / "a.dng"])


def test_planning_creates_nothing(folder):
    before = sorted(folder.rglob("*"))

    plan([folder], output=folder / "out", selection=DEEP)

    assert before == sorted(folder.rglob("*"))


def test_marked_files_are_skipped_as_the_pipeline_knows_them(folder, monkeypatch):
    monkeypatch.setattr(planning, "is_marked", lambda path: path.name == "a.NEF")

    planned = plan([folder])

    assert ["b_denoised.dng"] == outputs(planned, folder)
    assert [folder / "a.NEF"] == [skipped.source for skipped in planned.skipped]


def test_a_template_names_the_outputs(tmp_path):
    for name, iso in (("a.dng", 100), ("b.dng", 6400)):
        write_dng(tmp_path / name, noisy_samples(), iso=iso, model="One/Two")
    fill(tmp_path, "broken.dng")

    planned = plan([tmp_path], name="{camera}_{iso}_{date}_{stem}{ext}", output=tmp_path / "out")

    assert [
        "out/One_Two_100_2026-01-02_a.dng",
        "out/One_Two_6400_2026-01-02_b.dng",
        "out/unknown_unknown_unknown_broken.dng",
    ] == outputs(planned, tmp_path)


def test_a_template_that_names_two_alike_is_refused(tmp_path, unreadable):
    fill(tmp_path, "a.dng", "b.dng")

    planned = plan([tmp_path], name="{iso}{ext}")

    assert () == planned.jobs
    assert all("--name" in failure.error.advice for failure in planned.failures)


@pytest.mark.parametrize(
    "names",
    (
        {"name": "{stem}"},
        {"name": "{stem}.dng", "format": "tiff"},
        {"name": "{lens}{ext}"},
        {"name": "{stem}{ext}", "suffix": "_x"},
    ),
)
def test_names_that_cannot_be_are_a_matter_of_usage(folder, names):
    with pytest.raises(PlanError):
        plan([folder], **names)


def test_the_shells_own_pattern_may_match_the_outputs_of_the_run_before(tmp_path, monkeypatch):
    fill(tmp_path, "a.dng", "a_denoised.dng", "b_denoised.dng")
    monkeypatch.setattr(planning, "is_marked", lambda path: "denoised" in path.name)

    planned = plan(sorted(tmp_path.glob("*.dng")))

    assert [tmp_path / "a_denoised.dng"] == [result.source for result in planned.skipped]
    assert ["a.dng", "b_denoised.dng"] == [job.source.name for job in planned.jobs]


def test_a_pattern_or_a_list_is_not_one_file(folder):
    for paths in ([folder / "*.NEF"], [Path("-")]):
        planned = plan(
            paths, selection=Selection(listed=(folder / "a.NEF",)), output=folder / "x.dng"
        )

        assert ["x.dng/a_denoised.dng"] == outputs(planned, folder)


def test_an_output_of_ours_is_known_even_without_its_marker(folder):
    entry = Entry(output="a_denoised.dng", output_sha256="", source_sha256="", key="")
    append_entry(fill(folder, "a_denoised.dng"), entry)

    planned = plan([folder])

    assert ["a_denoised.dng"] == [result.source.name for result in planned.skipped]
    assert ["a_denoised.dng", "b_denoised.dng"] == outputs(planned, folder)


def test_what_only_has_the_name_of_an_output_is_not_called_denoised(folder):
    """It may be the next photograph that a camera called so: then it is to be told how to go on."""
    entry = Entry(output="a_denoised.dng", output_sha256="", source_sha256="", key="")
    append_entry(fill(folder, "a_denoised.dng"), entry)
    named = [folder / "a.NEF", folder / "a_denoised.dng"]

    for planned in (plan([folder]), plan(named)):
        [skipped] = planned.skipped
        assert "denoised by fadn" not in skipped.skipped
        assert "rename it" in skipped.skipped


def test_two_spellings_of_an_accent_are_one_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("e\u0301/a.NEF", "\u00e9/b.NEF"):
        Path(name).parent.mkdir()
        write_dng(Path(name), noisy_samples())

    planned = plan(
        [Path("e\u0301/a.NEF"), Path("\u00e9/b.NEF")], name="{folder}{ext}", output=Path("out")
    )

    assert () == planned.jobs
    assert 2 == len(planned.failures)
