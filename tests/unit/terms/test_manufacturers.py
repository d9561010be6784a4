import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.terms.manufacturers import known_maker, known_makers

SPELLED = {
    "GE": "GENESIS_SIGNA|GENESIS_HISPEED_RP|GE"
    "|GE MEDICAL SYSTEMS|GE Medical Systems|G.E. Medical Systems|GE Healthcare|GE|GEMS|G.E."
    "|GE MEDICAL S]STEMS|GE_MEDICAL_SYSTEMS|GE MEDICAL SYSTEMS, NUCLEAR|GE Vingmed Ultrasound"
    "|GE OEC Medical Systems GmbH|GEMS Ultrasound|GE Healthcare Austria GmbH & Co OG|GE-YOKOGAWA"
    '|"GE Healthcare"|General Electric|GE MEDICAL SYSTEMS / MIM Software|OEC Medical Systems'
    "|GE Hangwei Medical Systems|GE Healthcare Surgery|GE Medical Systems Israel|GE_HEALTHCARE",
    "SIEMENS": "SIEMENS|Siemens|SIEMENS Healthineers|SIEMENS NM|Siemens HealthCare GmbH|ACUSON|CTI"
    "|Siemens Corporate Research|SIEMENS / MIMvista|SIEMENS_ACUSON|Acuson Corp.|CPS|SIEMENZ|Siemns"
    "|ADAC-SIEMENS|SIEMENS Shenzhen Magnetic Resonance Ltd.",
    "PHILIPS": "Philips|Philips Medical Systems|PHILIPS-6OJ3LKNBI|ADAC|Philips Healthcare|PNMS"
    "|Philips Medical Systems, Inc.|PICKER International, Inc.|Marconi Medical Systems|ATL|Elscint"
    "|Advanced Technology Laboratories|PHILLIPS MEDICAL|Philips / MIMvista",
    "CANON": "TOSHIBA|TOSHIBA_MEC|Toshiba Medical Systems|CANON_MEC|Canon Inc."
    "|Canon Medical Systems|TOSHIBA_MEC_US|CANON_MEC_US|TOSHIBA MEC",
    "FUJIFILM": "FUJI PHOTO FILM CO. LTD.|Fuji Photo Film Co.,Ltd.|FUJIFILM Corporation|FUJIFILM"
    "|SonoSite, Inc.|FUJIFILM Healthcare Corporation|FUJIFILM SonoSite",
    "HITACHI": "Hitachi Medical Corporation|Hitachi, Ltd.|ALOKA|HITACHI ALOKA MEDICAL,LTD",
    "CARESTREAM": "KODAK|Carestream Health|EASTMAN KODAK CO.|CARESTREAM HEALTH|Carestream",
    "HOLOGIC": "HOLOGIC, Inc.|LORAD, A Hologic Company|LORAD|DIRECT RADIOGRAPHY CORP|TREX Medical"
    "|Fischer Imaging Corporation",
    "AGFA": "Agfa|Agfa-Gevaert|AGFA HealthCare NV|Agfa HealthCare Informatics|Agfa-Gevaert AG",
    "KONICA MINOLTA": "KONICA MINOLTA|Konica Corporation|KONICAMINOLTA|Minolta",
    "SAMSUNG": "Samsung Electronics|SAMSUNG MEDISON CO., LTD.|Medison|NeuroLogica",
    "SHIMADZU": "SHIMADZU|Shimadzu Corporation",
    "MINDRAY": "MINDRAY|Shenzhen Mindray Bio-Medical Electronics",
    "UNITED IMAGING": "UIH|UIH / MIM Software|United Imaging Healthcare|UNITED_IMAGING",
    "NEUSOFT": "Neusoft Medical Systems|NEUSOFT|Philips Neusoft Medical Systems",
    "ESAOTE": "Esaote|ESAOTE S.p.A.|Esaote Biomedica",
    "DENTSPLY SIRONA": "Sirona|SIRONA Dental Systems GmbH|DENTSPLY",
    "KAVO": "Imaging Sciences International|KaVo Dental|SOREDEX|Gendex",
    "PLANMECA": "Planmeca|PLANMECA OY",
    "PLANMED": "Planmed Oy",
    "VATECH": "Vatech|VATECH Company Limited|E-WOO Technology",
    "RAYENCE": "Rayence",
    "VARIAN": "Varian Medical Systems|Varian Imaging Laboratories, Switzerland",
    "ELEKTA": "Elekta|ELEKTA / MIM Software|CMS, Inc.|Nucletron",
    "ACCURAY": "Accuray Inc.|TomoTherapy Incorporated",
    "ZIEHM": "Ziehm Imaging GmbH",
    "ZEISS": "Carl Zeiss|ZEISS|Carl Zeiss Meditec",
    "HEIDELBERG ENGINEERING": "Heidelberg Engineering",
    "TOPCON": "TOPCON|Topcon Healthcare",
    "OPTOS": "Optos",
    "NIDEK": "NIDEK",
    "LEICA": "Leica Biosystems|Aperio",
    "HAMAMATSU": "Hamamatsu|HAMAMATSU PHOTONICS",
    "3DHISTECH": "3DHISTECH|3D Histech|Mirax",
    "ROCHE": "Roche|Ventana Medical Systems|BioImagene",
    "SECTRA": "Sectra Imtec AB",
    "IMS GIOTTO": "IMS s.r.l.|Giotto|I.M.S. Internazionale Medico Scientifica",
    "METALTRONICA": "METALTRONICA",
    "VILLA": "Villa Sistemi Medicali",
    "BRUKER": "Bruker BioSpin|BRUKER",
    "SWISSRAY": "Swissray",
    "DEL MEDICAL": "Del Medical Systems Group",
    "ICRCO": "iCRco",
    "LUMEDX": "Lumedx",
    "LUMISYS": "LUMISYS",
    "BRAINLAB": "Brainlab AG",
}
NOBODYS = (
    "Genesis|Georgetown|GEORGE|GEM|Gemini|GEMSTONE|General Hospital|GEISINGER|Gentech|Agency|SIEMON"
    "|Acme Products|Philipp Klinik|St. Philips Hospital|Philips Street Clinic|Siemens University"
    "|Canonsburg|Hologramm|Kodaikanal|Fujian|Fujita Health University|Medisonic|Sectral|Varianta"
    "|Zeissler|Leicester|Rochester|Optosoft|Elektrik|Agfar|Ultra|Atlas|Atlanta|Adacore|Villarreal"
    "|Roche Hospital|Samsun|Toshi|Minolt|Hitech|Shima|Imsol|Pickering|Marco|University of Canon"
    "|G E Smith|CTIO|CPSC|Stanford University|Herrmann Lab|pydicom|highdicom||?|0000000"
)


@pytest.mark.parametrize(
    ("spelling", "maker"), [(s, maker) for maker, all_ in SPELLED.items() for s in all_.split("|")]
)
def test_spellings_of_a_maker_are_merged(spelling, maker):
    for form in (spelling, spelling.upper(), spelling.lower(), f" {spelling} "):
        assert known_maker(form) == maker


@pytest.mark.parametrize("name", NOBODYS.split("|"))
def test_what_only_looks_like_a_maker_is_none(name):
    assert known_maker(name) is None


def test_the_name_of_a_maker_spells_that_maker():
    for maker in known_makers():
        assert known_maker(maker) == maker


@given(st.text(max_size=30))
def test_any_text_is_a_known_maker_or_none(text):
    assert known_maker(text) in {None, *known_makers()}
