"""The marker is found again, and everything else in the packet stays as it was."""

from xml.etree import ElementTree

import pytest

from fadn_cli.raw.dng.marker import is_denoised, mark_denoised, stated_process, without_marks

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DARKTABLE = "{http://darktable.sf.net/}"
FADN = "{urn:fadn:1.0/}"
LIGHTROOM = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.6">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    '  <rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
    '   xmp:Rating="4">\n   <xmp:Label>Grün &amp; gut</xmp:Label>\n  </rdf:Description>\n'
    " </rdf:RDF>\n</x:xmpmeta>\n" + " " * 100 + '<?xpacket end="w"?>\0\0'
).encode()


def mark(packet, *, strength=0.5, process="fadn 0.1.0 strength=0.5"):
    return mark_denoised(packet, strength=strength, process=process)


def descriptions(packet):
    text = packet.rstrip(b"\0").decode()
    return list(ElementTree.fromstring(text[text.index("<x:") :]).iter(RDF + "Description"))


def properties(packet):
    found = [item for node in descriptions(packet) for item in node.attrib.items()]
    assert len({name for name, _ in found if "about" not in name}) == sum(
        "about" not in name for name, _ in found
    ), "a property occurs twice"
    return dict(found)


@pytest.mark.parametrize("packet", (b"", b"\0" * 64, b"not xmp", LIGHTROOM))
def test_a_marked_packet_is_recognised_and_says_what_was_done(packet):
    marked = mark(packet)

    found = properties(marked)
    assert not is_denoised(packet)
    assert is_denoised(marked)
    assert "raw-denoise" == found[DARKTABLE + "neural_restore"]
    assert "fadn 0.1.0 strength=0.5" == found[FADN + "Process"]
    assert "0.5" == found[FADN + "Strength"]


def test_every_other_byte_of_the_packet_stays():
    marked = mark(LIGHTROOM)

    cut = LIGHTROOM.index(b"</rdf:RDF>")
    assert marked.startswith(LIGHTROOM[:cut])
    assert marked.endswith(LIGHTROOM[cut:])


def test_all_descriptions_are_about_the_same_resource():
    assert ["uuid:1", "uuid:1"] == [
        node.get(RDF + "about") for node in descriptions(mark(LIGHTROOM))
    ]


def test_marking_twice_is_marking_once():
    assert mark(LIGHTROOM) == mark(mark(LIGHTROOM, strength=1, process='other <"&> 2.0'))


@pytest.mark.parametrize("packet", (LIGHTROOM, mark_denoised(b"", strength=1, process="x")))
def test_without_its_marks_a_packet_is_what_it_was_before(packet):
    assert without_marks(packet) == without_marks(mark(packet))
    assert LIGHTROOM == without_marks(mark(LIGHTROOM))


@pytest.mark.parametrize(
    ("old", "new"),
    (
        (b'Rating="4"', b'Rating="5"'),
        (b"gut<", b"schlecht<"),
        (b' fadn:Strength="', b' crs:Exposure2012="+1" fadn:Strength="'),
        (b"</rdf:RDF>", b'<rdf:Description rdf:about=""/></rdf:RDF>'),
        (b' fadn:Process="', b' tiff:Model="Another" fadn:Process="'),
    ),
)
def test_what_is_not_ours_stays_when_the_marks_go(old, new):
    changed = mark(LIGHTROOM).replace(old, new)

    assert new in changed
    assert without_marks(LIGHTROOM) != without_marks(changed)


def test_a_marker_that_other_software_has_rewritten_is_replaced():
    rewritten = LIGHTROOM.replace(
        b'xmp:Rating="4"',
        b'xmp:Rating="4" xmlns:darktable="http://darktable.sf.net/" xmlns:fadn="urn:fadn:1.0/"'
        b' darktable:neural_restore="raw-denoise" fadn:Strength="1"',
    ).replace(b"<xmp:Label>", b"<fadn:Process>fadn 0.0.1</fadn:Process><xmp:Label>")
    assert is_denoised(rewritten)

    marked = mark(rewritten)

    assert "0.5" == properties(marked)[FADN + "Strength"]
    assert b"fadn 0.0.1" not in marked
    assert "4" == properties(marked)["{http://ns.adobe.com/xap/1.0/}Rating"]


def test_other_prefixes_and_an_empty_rdf_are_understood():
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
    )

    assert "raw-denoise" == properties(mark(packet))[DARKTABLE + "neural_restore"]


def test_text_from_the_user_is_escaped():
    process = "a <b> & \"c\" 'd'"

    assert process == properties(mark(b"", process=process))[FADN + "Process"]


@pytest.mark.parametrize("process", ("fadn 0.1.0 strength=1", "a <b> & \"c\" 'd'", "a 'd'", "Grün"))
def test_what_was_done_is_read_back(process):
    marked = mark(LIGHTROOM, process=process)

    assert process == stated_process(marked)
    assert stated_process(LIGHTROOM) is None


def test_what_was_done_is_read_from_an_element_too():
    packet = b"<fadn:Process>fadn 0.0.1 &amp; more</fadn:Process>"

    assert "fadn 0.0.1 & more" == stated_process(packet)
