"""How a series is acquired: the physics in its tags, and its effect on the picture.

MR tones follow the spin-echo signal PD·(1 − e^(−TR/T1))·e^(−TE/T2), with inversion if TI is given;
CT noise follows 1/√(dose · slice thickness). T1, T2 in ms at 1.5 T, Hounsfield units for CT:
textbook values, rounded.
"""

from dataclasses import dataclass, field

import numpy as np

from tagsight.demo.population import Series

HOUNSFIELD = {
    "air": -1000, "lung": -830, "fat": -100, "muscle": 52, "bone": 900, "marrow": 260, "csf": 8,
    "gm": 39, "wm": 29, "liver": 58, "spleen": 50, "kidney": 34, "blood": 45, "lesion": 18,
    "disc": 85, "cartilage": 95, "gut": 20,
}  # fmt: skip
# Hounsfield units that an iodine agent adds.
IODINE = {"blood": 140, "kidney": 130, "liver": 50, "spleen": 65, "lesion": 45, "gm": 6}
# T1 and T2 (ms), proton density, diffusion (10⁻³ mm²/s).
RELAXATION: dict[str, tuple[float, float, float, float]] = {
    "air": (1000, 1, 0.0, 1.0), "lung": (1000, 20, 0.12, 2.0), "fat": (260, 110, 1.0, 0.1),
    "muscle": (900, 42, 0.9, 1.5), "bone": (1000, 2, 0.15, 0.5), "marrow": (330, 85, 0.85, 0.3),
    "csf": (4000, 1600, 1.0, 3.0), "gm": (950, 100, 0.9, 0.8), "wm": (600, 75, 0.76, 0.7),
    "liver": (560, 46, 0.85, 1.2), "spleen": (1050, 85, 0.92, 0.9), "kidney": (900, 90, 0.94, 1.8),
    "blood": (1400, 180, 0.12, 3.0), "lesion": (1300, 150, 0.95, 0.6), "disc": (950, 75, 0.9, 1.4),
    "cartilage": (1000, 50, 0.95, 1.3), "gut": (1000, 110, 0.85, 1.8),
}  # fmt: skip
ENHANCED = {"blood": 220.0, "lesion": 320.0, "kidney": 300.0, "liver": 380.0, "spleen": 420.0}
# Field of view (mm) for which a part is drawn at zoom 1.
FIELD = {"HEAD": 240, "CHEST": 380, "ABDOMEN": 380, "PELVIS": 400, "LSPINE": 200, "KNEE": 170,
         "HEART": 340, "WHOLEBODY": 450, "BREAST": 240, "HAND": 240, "TSPINE": 320,
         "THYROID": 80}  # fmt: skip
# TR, TE, TI (ms), sequence, variant, scan options.
Times = tuple[float, float, float | None, str, tuple[str, ...], str]
SEQUENCES: dict[str, Times] = {
    "T1": (520, 11, None, "SE", ("SK", "SP"), ""),
    "T1CE": (560, 12, None, "SE", ("SK", "SP"), ""),
    "T2": (4200, 98, None, "SE", ("SK",), ""),
    "FLAIR": (9000, 115, 2450, "IR", ("SK", "SP", "MP"), ""),
    "STIR": (4500, 60, 160, "IR", ("SK", "SP"), ""),
    "DWI": (5200, 88, None, "EP", ("SK", "SP"), "FS"),
    "PDFS": (3000, 34, None, "SE", ("SK",), "FS"),
    "SSFP": (3.3, 1.5, None, "GR", ("SS", "OSP"), "CG"),
}
KERNELS: dict[str, dict[str, tuple[str, ...]]] = {
    "GE": {"soft": ("STANDARD", "SOFT"), "BONE": ("BONEPLUS", "BONE"), "LUNG": ("LUNG",)},
    "Siemens": {"soft": ("B30f", "H31s", "I31f\\2"), "BONE": ("B60f", "H60s"), "LUNG": ("B70f",)},
    "Philips": {"soft": ("B", "UB"), "BONE": ("D", "E"), "LUNG": ("L", "YC")},
    "Canon": {"soft": ("FC13", "FC03"), "BONE": ("FC30", "FC35"), "LUNG": ("FC52", "FC86")},
}
WINDOWS = {"BONE": (400, 1800), "LUNG": (-550, 1500), "HEAD": (38, 85), "soft": (45, 380)}


@dataclass
class Technique:
    """Tags that a series' physics sets, and the parameters of its drawing."""

    tags: dict[str, object] = field(default_factory=dict)
    tones: dict[str, float] = field(default_factory=dict)
    zoom: float = 1.0
    noise: float = 0.02
    blur: float = 0.4
    sharpen: float = 0.0
    shading: float = 0.0
    thickness: float = 5.0
    spacing: float = 1.0
    window: tuple[float, float] | None = None


def _field_of_view(series: Series, rng: np.random.Generator, spread: float = 0.08) -> float:
    nominal = FIELD[series.body_part]
    return float(round(nominal * np.exp(spread * rng.standard_normal())))


def _pixels(series: Series, rng: np.random.Generator, technique: Technique) -> None:
    fov = _field_of_view(series, rng)
    technique.zoom = FIELD[series.body_part] / fov
    technique.spacing = fov / series.device.rows


def ct(series: Series, rng: np.random.Generator) -> Technique:
    """Choose voltage, dose, thickness, kernel and contrast agent of a CT series."""
    sharp = series.contrast in ("BONE", "LUNG")
    thin = (0.75, 1.0, 1.25, 2.0) if sharp else (2.5, 3.0, 5.0, 5.0, 7.0)
    thickness, dose = float(rng.choice(thin)), float(rng.integers(60, 350))
    kernels = KERNELS[series.device.maker][series.contrast if sharp else "soft"]
    kvp = int(rng.choice([100, 120, 120, 120, 130, 140]))
    iodine = series.contrast == "CE"
    shift = IODINE if iodine else {}
    # Iodine attenuates more at low voltage.
    tones = {t: v + shift.get(t, 0) * 120 / kvp for t, v in HOUNSFIELD.items()}
    noise = 14 * np.sqrt(5 / thickness) * np.sqrt(150 / dose) * (2.6 if sharp else 1.0)
    noise *= 0.28 if series.body_part == "HEAD" else 1.0
    key = series.contrast if sharp else "HEAD" if series.body_part == "HEAD" else "soft"
    agent = str(rng.choice(["OMNIPAQUE 350", "IOMERON", "Ultravist 370", "CE", "APPLIED"]))
    technique = Technique(tones=tones, noise=float(noise), blur=0.3 if sharp else 0.8,
                          sharpen=0.8 if sharp else 0.0, thickness=thickness,
                          window=WINDOWS[key])  # fmt: skip
    _pixels(series, rng, technique)
    technique.tags = {
        "KVP": kvp,
        "XRayTubeCurrent": int(dose * rng.uniform(0.8, 1.4)),
        "ExposureTime": int(rng.choice([500, 750, 1000])),
        "Exposure": int(dose),
        "ConvolutionKernel": str(rng.choice(kernels)),
        "SliceThickness": thickness,
        "ReconstructionDiameter": round(technique.spacing * series.device.rows, 1),
        "DataCollectionDiameter": 500.0,
        "GantryDetectorTilt": float(rng.choice([0, 0, 0, -12.5])),
        "TableHeight": round(float(rng.normal(150, 15)), 1),
        "FilterType": str(rng.choice(["BODY FILTER", "HEAD FILTER", "WEDGE_2", "0"])),
        "ContrastBolusAgent": agent if iodine else "",
    }
    return technique


def signal(tissue: str, times: tuple[float, float, float | None], kind: str) -> float:
    """Return a tissue's MR signal, 0 to 1, under a sequence's TR, TE and TI (ms)."""
    tr, te, ti = times
    enhanced = kind == "T1CE"
    t1, t2, density, diffusion = RELAXATION[tissue]
    t1 = ENHANCED.get(tissue, t1) if enhanced else t1
    if tissue == "blood" and (enhanced or kind == "SSFP"):
        # Contrast agent or inflowing blood cancels the flow void.
        density = 1.6 if kind == "SSFP" else 1.0
    if kind == "SSFP":
        return float(density * np.sqrt(t2 / t1) * 1.6)
    recovery = 1 - np.exp(-tr / t1)
    if ti is not None:
        recovery = abs(1 - 2 * np.exp(-ti / t1) + np.exp(-tr / t1))
    value = density * recovery * np.exp(-te / t2)
    suppressed = kind in ("PDFS", "DWI") and tissue in ("fat", "marrow")
    weighting = np.exp(-diffusion) if kind == "DWI" else 1.0
    return float(value * weighting * (0.2 if suppressed else 1.0))


def mr(series: Series, rng: np.random.Generator) -> Technique:
    """Choose times, field, coil and thickness of an MR series, and the tones that follow."""
    tr0, te0, ti, sequence, variant, options = SEQUENCES[series.contrast]
    tr, te = (round(float(v * rng.uniform(0.85, 1.15)), 2) for v in (tr0, te0))
    model = series.device.model
    tesla = 3.0 if model in ("Skyra", "DISCOVERY MR750", "Ingenia") else 1.5
    enhanced = series.contrast == "T1CE"
    tones = {t: signal(t, (tr, te, ti), series.contrast) for t in RELAXATION}
    top = sorted(tones.values())[-2]
    tones = {t: min(v / top, 1.3) for t, v in tones.items()}
    thickness, averages = float(rng.choice([3, 4, 5, 5, 6])), int(rng.integers(1, 4))
    noise = 0.05 / np.sqrt(averages) * (5 / thickness) * (1.5 / tesla) ** 0.7
    technique = Technique(tones=tones, noise=float(noise), thickness=thickness,
                          blur=1.5 if series.contrast == "DWI" else 0.5,
                          shading=float(rng.uniform(0.05, 0.35)))  # fmt: skip
    _pixels(series, rng, technique)
    technique.tags = {
        "ScanningSequence": [sequence] if sequence != "IR" else ["SE", "IR"],
        "SequenceVariant": list(variant),
        "ScanOptions": options,
        "MRAcquisitionType": "2D",
        "RepetitionTime": tr,
        "EchoTime": te,
        "InversionTime": ti if ti else "",
        "EchoTrainLength": 1 if series.contrast.startswith("T1") else int(rng.integers(5, 25)),
        "MagneticFieldStrength": tesla,
        "ImagingFrequency": round(42.577 * tesla + float(rng.normal(0, 0.01)), 6),
        "ImagedNucleus": "1H",
        "FlipAngle": int(rng.choice([90, 90, 150, 180])) if sequence != "GR" else 60,
        "NumberOfAverages": averages,
        "SliceThickness": thickness,
        "SpacingBetweenSlices": round(thickness * float(rng.choice([1.0, 1.1, 1.2])), 2),
        "PixelBandwidth": int(rng.choice([122, 130, 180, 244, 390])),
        "EchoNumbers": 1,
        "AcquisitionMatrix": [0, series.device.rows, series.device.columns, 0],
        "InPlanePhaseEncodingDirection": str(rng.choice(["ROW", "COL"])),
        "SAR": round(float(rng.uniform(0.02, 2.5)), 4),
        "ReceiveCoilName": _coil(series.body_part, rng),
        "ContrastBolusAgent": "GADOVIST" if enhanced else "",
    }
    return technique


def _coil(part: str, rng: np.random.Generator) -> str:
    coils = {"HEAD": ("HEAD", "HNS Head", "SENSE-Head-8"), "KNEE": ("KNEE", "EXTREMITY")}
    return str(rng.choice(coils.get(part, ("BODY", "CTLBOT", "SENSE-Torso"))))


def tracer(series: Series, rng: np.random.Generator) -> Technique:
    """Choose dose, tracer and resolution: PET is sharper than a gamma camera."""
    pet = series.modality == "PT"
    counts = float(rng.uniform(25, 120))
    technique = Technique(noise=1 / counts, blur=1.2 if pet else 1.6)
    _pixels(series, rng, technique)
    if pet:
        technique.tags = {
            "Units": "BQML", "CountsSource": "EMISSION", "DecayCorrection": "START",
            "AttenuationCorrectionMethod": str(rng.choice(["measured,AC", "CT", "CTAC-SG"])),
            "ReconstructionMethod": str(rng.choice(["OSEM", "BLOB-OS-TF", "3D IR"])),
            "SliceThickness": technique.thickness, "ActualFrameDuration": 180000,
            "CorrectedImage": ["DECY", "ATTN", "SCAT", "NORM"],
        }  # fmt: skip
    else:
        technique.tags = {
            "CountsAccumulated": int(counts * 2e4), "ActualFrameDuration": int(counts * 1e4),
            "CollimatorGridName": str(rng.choice(["LEHR", "LEGP", "LEAP"])),
            "PixelSpacing": [round(technique.spacing, 4)] * 2,
        }  # fmt: skip
    return technique


def film(series: Series, rng: np.random.Generator) -> Technique:
    """Choose voltage and exposure of a film, and the noise that follows from them."""
    usual = {"CHEST": 120, "HAND": 50, "KNEE": 62, "BREAST": 28}.get(series.body_part, 78)
    kvp, dose = usual + int(rng.integers(-4, 5)), float(rng.gamma(3.0, 3.0) + 1)
    technique = Technique(noise=0.035 / np.sqrt(dose), blur=0.4, shading=0.08)
    _pixels(series, rng, technique)
    technique.tags = {"KVP": kvp, "Exposure": max(1, int(dose)), "ExposureTime": int(dose * 5 + 3),
                      "XRayTubeCurrent": int(rng.choice([200, 250, 320, 400]))}  # fmt: skip
    spacing = [round(technique.spacing, 4)] * 2
    technique.tags |= {"ImagerPixelSpacing": spacing}
    if series.modality != "CR":
        technique.tags |= {"DistanceSourceToDetector": int(rng.choice([1000, 1150, 1800])),
                           "FocalSpots": float(rng.choice([0.6, 1.2])),
                           "DetectorType": "SCINTILLATOR",
                           "Grid": str(rng.choice(["NONE", "IN", "FIXED"]))}  # fmt: skip
    else:
        technique.tags |= {"Sensitivity": int(rng.integers(100, 900)),
                           "PlateType": str(rng.choice(["ST-VI", "code 40", "MD40"]))}  # fmt: skip
    return technique


def breast(series: Series, rng: np.random.Generator) -> Technique:
    """Choose a mammogram's voltage, anode and force."""
    technique = film(series, rng)
    technique.noise *= 0.6
    anode = str(rng.choice(["MOLYBDENUM", "RHODIUM", "TUNGSTEN"]))
    technique.tags |= {
        "AnodeTargetMaterial": anode,
        "FilterMaterial": str(rng.choice(["MOLYBDENUM", "RHODIUM", "SILVER"])),
        "CompressionForce": round(float(rng.normal(95, 25)), 1),
        "BodyPartThickness": int(rng.integers(25, 85)),
        "OrganDose": round(float(rng.gamma(4, 0.004)), 5),
    }
    return technique


def echo(series: Series, rng: np.random.Generator) -> Technique:
    """Choose probe and depth of an ultrasound series."""
    probe = {"CURVED": "C5-1", "SECTOR": "S5-1", "LINEAR": "L12-5"}[series.contrast]
    technique = Technique(blur=0.0, zoom=float(rng.uniform(0.9, 1.15)))
    technique.tags = {
        "TransducerData": [probe, "", ""],
        "TransducerType": {"SECTOR": "SECTOR_PHASED"}.get(series.contrast, series.contrast),
        "DepthOfScanField": int(rng.integers(120, 180) if probe != "L12-5" else 45),
        "MechanicalIndex": round(float(rng.uniform(0.5, 1.5)), 2),
        "SoftTissueThermalIndex": round(float(rng.uniform(0.1, 1.9)), 2),
    }
    return technique


def run(series: Series, rng: np.random.Generator) -> Technique:
    """Choose rate and angles of an angiographic run."""
    technique = Technique(noise=float(rng.uniform(0.012, 0.035)), blur=0.4)
    _pixels(series, rng, technique)
    left = series.views[0] == "LCA"
    technique.tags = {
        "KVP": int(rng.integers(65, 100)),
        "XRayTubeCurrent": int(rng.integers(200, 800)),
        "PositionerPrimaryAngle": round(float(rng.normal(-25 if left else 30, 12)), 1),
        "PositionerSecondaryAngle": round(float(rng.normal(0, 15)), 1),
        "CineRate": int(rng.choice([15, 30]) if series.body_part == "HEART" else 3),
        "ImagerPixelSpacing": [round(technique.spacing, 4)] * 2,
        "RadiationSetting": "GR",
    }
    return technique


MAKE = {"CT": ct, "MR": mr, "CR": film, "DX": film, "MG": breast, "US": echo, "NM": tracer,
        "PT": tracer, "XA": run}  # fmt: skip
