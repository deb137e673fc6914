"""Money: a decimal with the decimals of its currency (ISO 4217), never a float."""

from decimal import Decimal
from typing import Final

_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
DECIMALS: Final = dict.fromkeys(_TWO.split(), 2) | dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)
LARGEST: Final = Decimal(999_999_999)


def settle(amount: Decimal, currency: str) -> Decimal:
    """The amount with exactly its currency's decimals; raises ValueError where it has more of them."""
    places = Decimal(1).scaleb(-DECIMALS[currency])
    settled = amount.quantize(places)
    if settled != amount:
        raise ValueError(f"{currency} has {DECIMALS[currency]} decimals")
    return settled


def round_to(amount: Decimal, currency: str) -> Decimal:
    """The nearest amount that the currency can express, halves to even: for what is computed, such as a commission."""
    return amount.quantize(Decimal(1).scaleb(-DECIMALS[currency]))
