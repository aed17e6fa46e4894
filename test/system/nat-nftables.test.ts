/**
 * The same packets through a router of Linux with nftables and through ours: where the RFCs leave no choice, what comes
 * out is the same, octet by octet. Linux keeps ports, as we do; each test has hosts and ports of its own.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hexBytes, parseIpv4 } from '../../src/lib/bytes.ts';
import { requireLinuxHost } from '../support/linux-host.ts';
import { LinuxRouter } from '../support/linux-router.ts';
import {
  ALICE,
  BOB,
  echoPacket,
  FLAGS,
  icmpPacket,
  NatRig,
  PUBLIC,
  SERVER,
  tcpPacket,
  udpPacket,
} from '../support/nat-rig.ts';
import { ipv4 } from '../support/packets.ts';

const RULESET = `
table ip nat {
  chain prerouting {
    type nat hook prerouting priority -100;
    iifname "eth1" tcp dport 80 dnat to ${BOB}:8080
    iifname "eth1" udp dport 53 dnat to ${BOB}:53
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "eth1" masquerade
  }
}
`;
const FORWARDS = [
  { protocol: 'tcp', publicPort: 80, privateAddress: parseIpv4(BOB), privatePort: 8080 },
  { protocol: 'udp', publicPort: 53, privateAddress: parseIpv4(BOB), privatePort: 53 },
] as const;
const HALFWAY = '192.0.2.99';
const { SYN, ACK, FIN } = FLAGS;

requireLinuxHost('nft')('NAT beside that of Linux', () => {
  let linux: LinuxRouter;
  const ours = new NatRig({ forwards: FORWARDS });

  beforeAll(async () => {
    linux = await LinuxRouter.start(RULESET);
  });
  afterAll(() => linux?.stop());

  /** Sends a packet out, or in, through both. Returns what came out of either. */
  async function both(packet: Uint8Array, from: 'inside' | 'outside'): Promise<Uint8Array> {
    const to = from === 'inside' ? 'outside' : 'inside';
    if (from === 'inside') ours.fromInside(packet);
    else ours.fromOutside(packet);
    const out = from === 'inside' ? ours.sentOutside() : ours.sentInside();
    expect(hexBytes(out)).toBe(hexBytes(await linux.pass(packet, from, to)));
    ours.expectNothing();
    return out;
  }

  const out = (packet: Uint8Array) => both(packet, 'inside');
  const back = (packet: Uint8Array) => both(packet, 'outside');
  const error = (from: string, to: string, quoted: Uint8Array, type = 3, code = 1, word = 0) =>
    icmpPacket(from, to, { type, code, word, data: quoted });

  it.each([0, 1, 2, 3, 100, 1471])('NAT-14 UDP with %s octets of data, both ways', async length => {
    const data = Uint8Array.from({ length }, (_, i) => 7 * i);
    await out(udpPacket(`${ALICE}:${5000 + length}`, `${SERVER}:7`, data));
    await back(udpPacket(`${SERVER}:7`, `${PUBLIC}:${5000 + length}`, data));
  });

  it('NAT-14 UDP without a checksum, and with options in its IPv4 header', async () => {
    const blank = (packet: Uint8Array) => packet.fill(0, 26, 28);
    await out(blank(udpPacket(`${ALICE}:4100`, `${SERVER}:7`)));
    await back(blank(udpPacket(`${SERVER}:7`, `${PUBLIC}:4100`)));
    await out(udpPacket(`${ALICE}:4100`, `${SERVER}:7`, [1], { options: [1, 1, 1, 0] }));
  });

  it('NAT-7 a TCP connection from its SYN to the last ACK', async () => {
    const [client, mapped, server] = [`${ALICE}:4200`, `${PUBLIC}:4200`, `${SERVER}:443`];
    const says = (flags: number, seq: number, ack: number, data: readonly number[] = []) =>
      out(tcpPacket(client, server, flags, data, {}, { seq, ack }));
    const hears = (flags: number, seq: number, ack: number) =>
      back(tcpPacket(server, mapped, flags, [], {}, { seq, ack }));
    await says(SYN, 1000, 0);
    await hears(SYN | ACK, 7000, 1001);
    await says(ACK, 1001, 7001, [1, 2, 3, 4, 5]);
    await hears(ACK, 7001, 1006);
    await says(FIN | ACK, 1006, 7001);
    await hears(FIN | ACK, 7001, 1007);
    await says(ACK, 1007, 7002);
  });

  it('NAT-1 an echo request and its reply', async () => {
    await out(echoPacket(ALICE, SERVER, 4300));
    await back(echoPacket(SERVER, PUBLIC, 4300, 0));
  });

  it.each([
    [3, 0, 0],
    [3, 1, 0],
    [3, 3, 0],
    [3, 4, 1400],
    [3, 13, 0],
    [11, 0, 0],
    [11, 1, 0],
    [12, 0, 0x0900_0000],
  ])(
    'NAT-10 an error %s/%s about UDP, TCP and an echo request, quoted whole and to 8 octets',
    async (type, code, word) => {
      const port = 20_000 + 100 * type + code;
      const packets = [
        udpPacket(`${ALICE}:${port}`, `${SERVER}:7`),
        tcpPacket(`${ALICE}:${port}`, `${SERVER}:7`, SYN),
        echoPacket(ALICE, SERVER, port),
      ];
      for (const packet of packets) {
        const sent = await out(packet);
        for (const length of [sent.length, 28]) {
          await back(error(HALFWAY, PUBLIC, sent.subarray(0, length), type, code, word));
        }
      }
    },
  );

  it('NAT-10 an error from the inside, of a host and of a router in there', async () => {
    await out(udpPacket(`${ALICE}:4400`, `${SERVER}:7`));
    const arrived = await back(udpPacket(`${SERVER}:7`, `${PUBLIC}:4400`));
    await out(error(ALICE, SERVER, arrived, 3, 3));
    await out(error('10.0.0.77', SERVER, arrived, 11, 0));
  });

  it('a forwarded port, over TCP and UDP, and an error of the host behind it', async () => {
    const [guest, web] = [`${SERVER}:4500`, `${PUBLIC}:80`];
    await back(tcpPacket(guest, web, SYN, [], {}, { seq: 1000, ack: 0 }));
    await out(tcpPacket(`${BOB}:8080`, guest, SYN | ACK, [], {}, { seq: 7000, ack: 1001 }));
    await back(tcpPacket(guest, web, ACK, [1], {}, { seq: 1001, ack: 7001 }));
    const arrived = await back(udpPacket(`${SERVER}:4500`, `${PUBLIC}:53`));
    await out(error(BOB, SERVER, arrived, 3, 3));
    await out(udpPacket(`${BOB}:53`, `${SERVER}:4500`, [5]));
  });

  it('a protocol without ports, by address', async () => {
    await out(ipv4({ source: ALICE, destination: SERVER, protocol: 253, payload: [1, 2, 3] }));
    await back(ipv4({ source: SERVER, destination: PUBLIC, protocol: 253, payload: [4] }));
  });
});
