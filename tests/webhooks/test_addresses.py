"""Nothing but public addresses is ever called, however it is spelled and whatever its name server says."""

import asyncio
from ipaddress import ip_address

import pytest

from tests.webhooks.receivers import receiving
from webhooks.addresses import RefusedAddress, Rules
from webhooks.client import Client
from webhooks.names import Names, UnknownHost

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::1
100::1 2001::1 2001:db8::1 2002:7f00:1::1 2002:a00:1:: 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1
""".split()  # noqa: SIM905
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00::1",
]
ODD_URLS = """
http://127.1/ http://2130706433/ http://0x7f000001/ http://0177.0.0.1/ http://0x7f.0.0.1/ http://127.0.0.1/
http://[::1]/ http://[::ffff:127.0.0.1]/ http://[::]/ http://[fe80::1%25eth0]/ http://localhost/ http://LOCALHOST./
http://a.localhost/ http://0/ http://user:pw@example.com/ http://example.com:22/ http://example.com:6379/ https://example.com:25/
ftp://example.com/ file:///etc/passwd gopher://example.com/ //example.com/ example.com http:// http:///x
http://example.com:99999/ http://example.com/#x http://example.com\\@127.0.0.1/ javascript:alert(1)
""".split()  # noqa: SIM905


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_admitted(address):
    assert not Rules().admits(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_admitted(address):
    assert Rules().admits(ip_address(address))


def test_loopback_is_admitted_only_where_it_is_allowed_and_nothing_else_with_it():
    admitted = [address for address in PRIVATE if Rules(allow_loopback=True).admits(ip_address(address))]
    assert admitted == ["127.0.0.1", "127.255.255.254", "::1"]


@pytest.mark.parametrize(
    "url",
    [
        *ODD_URLS,
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://ex ample.com/",
        "http://exa\tmple.com/",
        f"https://e.com/{'x' * 3000}",
    ],
)
def test_odd_urls_are_refused_as_they_are_registered(url):
    with pytest.raises(RefusedAddress):
        Rules().target(url)


def test_production_takes_https_only():
    with pytest.raises(RefusedAddress, match="https"):
        Rules(allow_http=False).target("http://example.com/")
    assert Rules(allow_http=False).target("https://example.com/a?b=c").path == "/a?b=c"


async def test_a_hostile_name_server_leads_nowhere_private():
    """It answers with every private address in turn, mixed with none, and changes its mind between two questions."""
    connected = []
    async with receiving() as receiver:
        for address in PRIVATE:

            async def lookup(host: str, port: int, address: str = address) -> list[str]:
                return [address]

            names = Names(Rules(), lookup)
            client = Client(Rules(), names)
            target = Rules().target(f"http://rebind.example:{receiver.port}/")
            with pytest.raises(RefusedAddress):
                await client.post(target, {}, b"{}")
            connected += receiver.received
            names.close()
        assert connected == []
        assert receiver.connections == 0


async def test_the_address_that_was_checked_is_the_one_that_is_called():
    """A name that turns private on the second look-up is not looked up a second time."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    async with receiving() as receiver:

        async def lookup(host: str, port: int) -> list[str]:
            return answers.pop(0)

        rules = Rules(allow_loopback=True)
        names = Names(rules, lookup)
        client = Client(rules, names)
        await client.post(rules.target(f"http://rebind.example:{receiver.port}/"), {}, b"{}")
        assert len(receiver.received) == 1
        assert answers == [["10.0.0.1"]]
        client.close()
        names.close()


async def test_of_mixed_answers_only_public_ones_are_used():
    async def lookup(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "8.8.8.8", "fe80::1%eth0", "127.0.0.1"]

    names = Names(Rules(), lookup)
    assert await names.addresses("mixed.example", 80) == (ip_address("8.8.8.8"),)
    names.close()


async def test_a_slow_name_is_asked_for_once_and_an_unknown_one_says_so():
    asked = []

    async def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        await asyncio.sleep(0.01)
        if host == "nowhere.example":
            raise OSError("no such host")
        return ["8.8.8.8"]

    names = Names(Rules(), lookup)
    await asyncio.gather(*(names.addresses("one.example", 80) for _ in range(50)))
    assert asked == ["one.example"]
    with pytest.raises(UnknownHost):
        await names.addresses("nowhere.example", 80)
    names.close()
