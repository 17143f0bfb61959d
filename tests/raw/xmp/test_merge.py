"""What sidecars say is said by the DNG too, once each, and nothing else is lost."""

import xml.etree.ElementTree as ElementTree

import pytest

from fadn_cli.errors import RawReadError
from fadn_cli.raw.dng.marker import (
    is_denoised,
    mark_denoised,
    packets_agree,
    stated_process,
    without_marks,
)
from fadn_cli.raw.xmp.merge import NO_EDITS, Edits, merge, names_in, value_of
from tests.making.xmp import NAMESPACES, keywords, xmp

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def edits(*packets):
    return Edits(names=tuple(f"{n}.xmp" for n in range(len(packets))), packets=packets)


def said(packet):
    """Every property of a packet with its text or values; fails if one is there twice."""
    found = {}
    for top in ElementTree.fromstring(packet.strip()).iter(f"{RDF}Description"):
        own = {name: value for name, value in top.attrib.items() if not name.startswith(RDF)}
        own |= {
            each.tag: [item.text for item in each.iter(f"{RDF}li")] or each.text for each in top
        }
        assert not own.keys() & found.keys()
        found |= own
    names = {uri: prefix for prefix, uri in NAMESPACES.items()}
    return {f"{names[key[1:].split('}')[0]]}:{key.split('}')[1]}": found[key] for key in found}


def test_rating_label_keywords_and_edits_are_the_sidecars():
    own = xmp('xmp:Rating="1" xmp:CreatorTool="Camera"', keywords("old"))
    sidecar = xmp('xmp:Rating="4" xmp:Label="Red" crs:Exposure2012="+0.50"', keywords("a", "b"))

    merged = said(merge(own, edits(sidecar)))

    assert merged == {
        "xmp:CreatorTool": "Camera",
        "xmp:Rating": "4",
        "xmp:Label": "Red",
        "crs:Exposure2012": "+0.50",
        "dc:subject": ["a", "b"],
    }


def test_a_property_is_replaced_however_either_spells_it():
    as_element, as_attribute = xmp("", "<xmp:Rating>1</xmp:Rating>"), xmp('xmp:Rating="5"')

    assert {"xmp:Rating": "5"} == said(merge(as_element, edits(as_attribute)))
    assert {"xmp:Rating": "1"} == said(merge(as_attribute, edits(as_element)))


def test_the_last_sidecar_wins():
    first, last = xmp('xmp:Rating="1" xmp:Label="Red"'), xmp('xmp:Rating="2"')

    merged = said(merge(without_marks(b""), edits(first, last)))

    assert {"xmp:Rating": "2", "xmp:Label": "Red"} == merged


def test_what_tells_files_or_programs_apart_is_not_taken():
    own = xmp('xmpMM:DocumentID="own"')
    sidecar = xmp(
        'xmpMM:DocumentID="theirs" darktable:history_end="7" photoshop:SidecarForExtension="NEF"'
        ' crs:RawFileName="IMG_1.NEF" dc:format="image/x-nikon-nef"'
    )

    assert own == merge(own, edits(sidecar))
    assert own == merge(own, NO_EDITS)


def test_prefixes_breaks_and_the_subject_survive():
    sidecar = (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<r:Description r:about="" xmlns:p="http://ns.adobe.com/photoshop/1.0/"'
        b' p:Instructions="a&#xA;b &lt;&quot;&gt;"/></r:RDF><?xpacket end="w"?>'
    )

    merged = merge(xmp('xmp:Rating="1"', about="uuid:1"), edits(sidecar))

    assert 'a\nb <">' == said(merged)["photoshop:Instructions"]
    abouts = [
        top.get(f"{RDF}about") for top in ElementTree.fromstring(merged).iter(f"{RDF}Description")
    ]
    assert ["uuid:1", "uuid:1"] == abouts


@pytest.mark.parametrize(
    "broken",
    (b"", b"<x", b"\xff\xfe<", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<a:b/>", b"one"),
)
def test_what_does_not_parse_is_named(broken):
    with pytest.raises(RawReadError, match=r"0\.xmp is not well-formed XML") as caught:
        merge(xmp(), edits(broken))

    assert caught.value.advice
    with pytest.raises(RawReadError, match="its XMP"):
        merge(broken, edits(xmp()))


def test_the_marker_is_found_in_a_merged_packet_and_verify_agrees():
    own = xmp('xmp:Rating="1" xmp:CreatorTool="Camera"')
    merged = merge(without_marks(own), edits(xmp('xmp:Rating="4"')))

    marked = mark_denoised(merged, strength=1, process="fadn 9", sidecars=("IMG_1.xmp",))

    assert is_denoised(marked)
    assert "fadn 9" == stated_process(marked)
    assert packets_agree(own, marked)
    assert merged == without_marks(marked)
    again = mark_denoised(marked, strength=0.5, process="fadn 10")
    assert packets_agree(merged, again)
    assert b"Sidecars" not in again


def test_a_merged_packet_may_not_lack_what_the_source_says():
    own = xmp('xmp:Rating="1" xmp:CreatorTool="Camera"')
    lacking = mark_denoised(xmp('xmp:Rating="4"'), strength=1, process="f", sidecars=("a.xmp",))
    unmarked = mark_denoised(
        xmp('xmp:Rating="4" xmp:CreatorTool="Camera"'), strength=1, process="f"
    )

    assert not packets_agree(own, lacking)
    assert not packets_agree(own, unmarked)


def test_single_properties_can_be_asked_for():
    packet = xmp('photoshop:SidecarForExtension=" NEF "', "<xmp:Rating>3</xmp:Rating>")

    rating = (NAMESPACES["xmp"], "Rating")
    assert {rating, (NAMESPACES["photoshop"], "SidecarForExtension")} == names_in(packet, name="x")
    assert "3" == value_of(packet, rating, name="x")
    assert "NEF" == value_of(packet, (NAMESPACES["photoshop"], "SidecarForExtension"), name="x")
    assert "" == value_of(packet, (NAMESPACES["xmp"], "Label"), name="x")


def test_edits_are_told_apart():
    first, second = (edits(xmp(f'xmp:Rating="{n}"')) for n in (1, 2))

    assert 3 == len({first.digest, second.digest, NO_EDITS.digest})
    assert first.digest == edits(xmp('xmp:Rating="1"')).digest
