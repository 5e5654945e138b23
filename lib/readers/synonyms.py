"""Column names of common surveys in lower case, the likeliest first.

The names are those of the LSST pipelines, HSC, DECam Community Pipeline, DES, NSC, SDSS, PS1, Gaia, ZTF, PTF, IPAC,
SExtractor and DAOPHOT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

COLUMNS: Mapping[str, Sequence[str]] = {
    "visit": [
        "visit",
        "visit_id",
        "visitid",
        "expid",
        "exp_id",
        "exposure",
        "exposure_id",
        "exposureid",
        "expnum",
        "obsid",
        "obs_id",
        "imageid",
        "image_id",
        "frameid",
        "frame_id",
        "transit_id",
        "ccdvisitid",
        "pid",
    ],
    "detector": ["detector", "ccd", "ccdnum", "ccdid", "ccd_id", "rcid", "chip", "chipid", "chip_id"],
    "band": [
        "band",
        "filter",
        "filt",
        "filtername",
        "filter_name",
        "filterid",
        "filter_id",
        "filtercode",
        "fid",
        "physical_filter",
        "passband",
    ],
    "object": [
        "object",
        "object_id",
        "objectid",
        "objid",
        "obj_index",
        "matchid",
        "matched_id",
        "isolated_star_id",
        "matchedsourceid",
        "coadd_object_id",
        "quick_object_id",
        "oid",
        "source_id",
    ],
    "snr": ["snr", "base_psfflux_snr", "psf_snr", "psfsnr", "s2n", "sn_psf", "snr_win", "snr_psf", "phot_snr"],
    "extendedness": ["extendedness", "base_classificationextendedness_value", "extended", "class_star", "spread_model"],
    "mjd": [
        "mjd",
        "mjdobs",
        "mjd_obs",
        "expmidptmjd",
        "obsmjd",
        "midpointmjdtai",
        "mjd_tai",
        "expmidpt",
        "obstime",
        "obs_time",
        "jd",
        "hjd",
        "bjd",
        "time",
        "epoch",
        "date_obs",
        "dateobs",
        "obsdate",
    ],
    "airmass": ["airmass", "secz", "am"],
}
"""Columns of the detections by name."""

POSITIONS: tuple[tuple[str, str], ...] = (
    ("ra", "dec"),
    ("ra", "decl"),
    ("coord_ra", "coord_dec"),
    ("alphawin_j2000", "deltawin_j2000"),
    ("alphapsf_j2000", "deltapsf_j2000"),
    ("alpha_j2000", "delta_j2000"),
    ("alphawin_sky", "deltawin_sky"),
    ("alphapsf_sky", "deltapsf_sky"),
    ("alpha_sky", "delta_sky"),
    ("raj2000", "dej2000"),
    ("raj2000", "decj2000"),
    ("ra_icrs", "de_icrs"),
    ("ramean", "decmean"),
    ("ra_deg", "dec_deg"),
    ("radeg", "decdeg"),
    ("objra", "objdec"),
    ("right_ascension", "declination"),
    ("alpha", "delta"),
    ("xwin_world", "ywin_world"),
    ("xpsf_world", "ypsf_world"),
    ("x_world", "y_world"),
)
"""Right ascension and declination."""

POSITION_ERRORS: tuple[tuple[str, str], ...] = (
    ("ra_err", "dec_err"),
    ("raerr", "decerr"),
    ("coord_raerr", "coord_decerr"),
    ("ra_error", "dec_error"),
    ("rameanerr", "decmeanerr"),
    ("e_raj2000", "e_dej2000"),
    ("e_ra_icrs", "e_de_icrs"),
    ("sigra", "sigdec"),
    ("ra_ivar", "dec_ivar"),
)
"""Errors of positions; names in ivar are inverse variances."""

MAGNITUDES: tuple[tuple[str, str], ...] = (
    ("mag", "mag_err"),
    ("mag", "magerr"),
    ("mag", "merr"),
    ("mag", "e_mag"),
    ("mag", "mag_error"),
    ("psfmag", "psfmagerr"),
    ("psfmag", "psfmag_err"),
    ("psf_mag", "psf_magerr"),
    ("psf_mag", "psf_mag_err"),
    ("base_psfflux_mag", "base_psfflux_magerr"),
    ("mag_psf", "magerr_psf"),
    ("mag_psf", "mag_err_psf"),
    ("magpsf", "sigmapsf"),
    ("mag_auto", "magerr_auto"),
    ("mag_best", "magerr_best"),
    ("mag_aper", "magerr_aper"),
    ("mag_iso", "magerr_iso"),
    ("magnitude", "magnitude_error"),
    ("magnitude", "e_magnitude"),
    ("kronmag", "kronmagerr"),
)
"""Magnitudes and their errors."""

FLUXES: tuple[tuple[str, str], ...] = (
    ("psfflux", "psffluxerr"),
    ("psf_flux", "psf_flux_err"),
    ("psf_flux", "psf_fluxerr"),
    ("psfflux", "psffluxivar"),
    ("psfflux", "psfflux_ivar"),
    ("base_psfflux_instflux", "base_psfflux_instfluxerr"),
    ("base_psfflux_flux", "base_psfflux_fluxerr"),
    ("flux_psf", "fluxerr_psf"),
    ("flux", "fluxerr"),
    ("flux", "flux_err"),
    ("flux", "flux_error"),
    ("flux", "flux_ivar"),
    ("flux", "fluxivar"),
    ("instflux", "instfluxerr"),
    ("flux_auto", "fluxerr_auto"),
    ("flux_aper", "fluxerr_aper"),
    ("flux_iso", "fluxerr_iso"),
)
"""Fluxes and their errors, or inverse variances (ivar)."""

DIFFERENCE_FLUXES: tuple[tuple[str, str], ...] = (("scienceflux", "sciencefluxerr"),)
"""Fluxes in the science image of sources of difference images."""

DIFFERENCE = ("diaobjectid", "diasourceid", "diaobject", "isdipole", "candid")
"""Columns of sources of difference images only."""

ZERO_POINTS = [
    "zeropoint",
    "zero_point",
    "zeropt",
    "magzp",
    "mag_zp",
    "zp",
    "magzero",
    "mag_zero",
    "photzp",
    "zp_mag",
    "magzeropoint",
]
"""Magnitude of a unit flux, in a column or in the header."""

FLAGS: Mapping[str, Sequence[str]] = {
    "saturated": ("pixelflags_saturated", "base_pixelflags_flag_saturated"),
    "cr": ("pixelflags_cr", "base_pixelflags_flag_cr"),
    "bad": ("pixelflags_bad", "base_pixelflags_flag_bad"),
    "edge": ("pixelflags_edge", "base_pixelflags_flag_edge"),
    "psf_used": ("calib_psf_used", "calib_psfused"),
}
"""Columns of flags, true for a bad detection."""

BITS = ("flags", "flag", "imaflags_iso", "catflags", "cc_flags", "quality", "qualityflag", "infoflag", "dqflags")
"""Integer columns of several flag bits."""

SEXTRACTOR_BITS: Mapping[str, tuple[int, str]] = {
    "saturated": (4, "a pixel is saturated"),
    "edge": (8, "truncated at the border of the image"),
    "bad": (240, "incomplete or corrupt (16, 32), or out of memory (64, 128)"),
    "blended": (3, "biased by neighbours (1), or deblended (2); no definition cuts on it"),
}
"""Bits of FLAGS (SExtractor manual, Flagging)."""

SEXTRACTOR = [
    "number",
    "x_image",
    "y_image",
    "xwin_image",
    "ywin_image",
    "x_world",
    "alpha_j2000",
    "alpha_sky",
    "alphawin_j2000",
    "mag_auto",
    "mag_aper",
    "mag_iso",
    "mag_psf",
    "flux_auto",
    "flux_aper",
    "flux_iso",
    "flux_radius",
    "class_star",
    "spread_model",
    "kron_radius",
    "fwhm_image",
    "isoarea_image",
]
"""Columns that identify a SExtractor catalog."""

HEADER: Mapping[str, Sequence[str]] = {
    "visit": [
        "visit",
        "visitid",
        "expnum",
        "expid",
        "exp_id",
        "exposure",
        "obsid",
        "obs_id",
        "obs-id",
        "frameid",
        "imageid",
    ],
    "band": ["band", "filter", "filter1", "filtname", "filterid", "filtnam", "filt"],
    "detector": ["detector", "ccdnum", "ccdid", "ccd_id", "chipid", "chip", "rcid", "detid", "extname"],
    "mjd": ["mjd", "mjd-obs", "mjd_obs", "obsmjd", "mjd-mid", "mjdmid", "jd", "date-obs", "date_obs"],
    "airmass": ["airmass", "secz"],
    "zero_point": ZERO_POINTS,
}
"""Header keywords for a whole file, in lower case."""
