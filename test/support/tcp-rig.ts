/**
 * TCP in dialogue: one real stack, and a test that speaks for its peer, segment by segment. `send` is what the peer
 * sends, `recv` what the host is expected to answer, `recvNothing` that it does not. Sequence numbers of the peer count
 * from {@link PEER_ISS}, those of the host from its own ISN, which the rig learns from its SYN: both are given relative
 * to these, so that a test reads as the figures of the RFCs do.
 */
import { expect } from 'vitest';
import type { TcpConnection } from '../../kernel/net/tcp/connection.ts';
import type { TcpListener } from '../../kernel/net/tcp/listener.ts';
import { DEFAULT_TCP_OPTIONS, type TcpOptions } from '../../kernel/net/tcp/user.ts';
import { parseIpv4, readBe16, readBe32 } from '../../src/lib/bytes.ts';
import { HOST, HOST_MAC, NetRig, PEER } from './net-rig.ts';
import { icmp, naiveChecksum } from './packets.ts';

const PEER_ISS = 1000;
export const HOST_PORT = 80;
const PEER_PORT = 4000;

const FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };
const ETHERNET_BYTES = 14;
const ARP = 0x0806;
const REQUEST = 1;

/** Options as octets, ready for a header. */
export const MSS = (mss: number): number[] => [2, 4, mss >> 8, mss & 255];
export const WS = (shift: number): number[] => [1, 3, 3, shift];
export const SACK_OK: number[] = [1, 1, 4, 2];
const long = (value: number): number[] => [
  (value >>> 24) & 255,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
export const TS = (value: number, echo: number): number[] => [1, 1, 8, 10, ...long(value), ...long(echo)];

/** A segment, its numbers relative to the ISNs. */
export interface SegmentFields {
  /** Letters of `SFRPAU`. */
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly options?: readonly number[];
  readonly data?: ArrayLike<number>;
  /** Instead of the right one, added to it. */
  readonly checksumError?: number;
  readonly dataOffset?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Of IPv4, a multiple of four. */
  readonly ipOptions?: readonly number[];
}

/** A segment that the host sent. */
export interface Sent {
  readonly flags: string;
  /** Relative to the ISN of the host. */
  readonly seq: number;
  /** Relative to {@link PEER_ISS}. */
  readonly ack: number;
  readonly window: number;
  readonly urgent: number;
  readonly data: Uint8Array;
  readonly mss: number | null;
  readonly scale: number | null;
  readonly sackPermitted: boolean;
  /** Value and echo. */
  readonly ts: readonly [number, number] | null;
  /** Edges, relative to {@link PEER_ISS}. */
  readonly sack: readonly (readonly [number, number])[];
  readonly dontFragment: boolean;
  readonly ttl: number;
  readonly tos: number;
  readonly destinationPort: number;
  readonly raw: Uint8Array;
}

export interface Expected {
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  /** Length, or the octets. */
  readonly length?: number;
  readonly data?: ArrayLike<number>;
  readonly sack?: readonly (readonly [number, number])[];
}

/** Plain TCP: no options but MSS, so that segments are easy to read. */
const PLAIN: Partial<TcpOptions> = { timestamps: false, windowScale: false, sack: false };

export const octets = (length: number, from = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (from + i) * 7 + ((from + i) >> 8));

export class TcpRig extends NetRig {
  /** ISN of the host, once it has sent a SYN. */
  hostIss = 0;
  peerIss = PEER_ISS;
  peerPort = PEER_PORT;
  hostPort = HOST_PORT;
  changes = 0;
  readonly user = {
    changed: () => {
      this.changes += 1;
    },
  };
  /** Also read while the base class is being made, before it is false. */
  protected holding = false;
  #listener: TcpListener | null = null;

  constructor() {
    super();
    this.introducePeer();
  }

  /** The peer answers ARP at any time: it is not what these tests are about. */
  override settle(): void {
    if (this.holding) return;
    super.settle();
    if (this.drivers.length === 0) return;
    const { sent } = this.driver;
    for (let i = 0; i < sent.length; i++) {
      if (readBe16(sent[i]!, 12) !== ARP || readBe16(sent[i]!, 20) !== REQUEST) continue;
      sent.splice(i, 1);
      this.injectArp({ opcode: 2, targetMac: HOST_MAC }, HOST_MAC);
      return;
    }
  }

  get tcp() {
    return this.net.tcp;
  }

  options(options: Partial<TcpOptions> = {}): TcpOptions {
    return { ...DEFAULT_TCP_OPTIONS, ...PLAIN, ...options };
  }

  get listener(): TcpListener {
    if (this.#listener === null) throw new Error('nobody listens');
    return this.#listener;
  }

  listen(options: Partial<TcpOptions> = {}, backlog = 8): TcpListener {
    this.#listener = this.tcp.listen({ address: 0, port: HOST_PORT }, backlog, this.options(options), this.user);
    return this.#listener;
  }

  /** The host opens a connection to the peer's port; its SYN is still to be received. */
  connect(options: Partial<TcpOptions> = {}): TcpConnection {
    const remote = { address: parseIpv4(PEER), port: this.peerPort };
    return this.tcp.connect({ address: 0, port: HOST_PORT }, remote, this.options(options), this.user);
  }

  /** The peer connects to the listening host, with `syn` as the options of its SYN. */
  accepted(options: Partial<TcpOptions> = {}, syn: Partial<SegmentFields> = {}): TcpConnection {
    if (this.#listener === null) this.listen(options);
    this.send({ flags: 'S', seq: 0, window: 65_535, options: MSS(1460), ...syn });
    this.recv({ flags: 'SA', seq: 0, ack: 1 });
    this.send({ flags: 'A', seq: 1, ack: 1, window: syn.window ?? 65_535 });
    this.recvNothing();
    const connection = this.listener.accept(this.user);
    if (connection === null) throw new Error('no connection was accepted');
    return connection;
  }

  /** The host has connected to the peer. */
  connected(options: Partial<TcpOptions> = {}, synAck: Partial<SegmentFields> = {}): TcpConnection {
    const connection = this.connect(options);
    this.recv({ flags: 'S', seq: 0 });
    this.send({ flags: 'SA', seq: 0, ack: 1, window: 65_535, options: MSS(1460), ...synAck });
    this.recv({ flags: 'A', seq: 1, ack: 1 });
    expect(connection.state).toBe('ESTABLISHED');
    return connection;
  }

  /** The peer sends a segment: an ACK with a window of 65535 unless `fields` say otherwise. */
  send(fields: SegmentFields): void {
    const source = fields.source ?? PEER;
    const destination = fields.destination ?? HOST;
    const payload = this.#segment(fields, source, destination);
    this.injectIpv4({ protocol: 6, source, destination, payload, options: fields.ipOptions ?? [] });
  }

  /** What `send` sends in it arrives together: the kernel does other work only afterwards. */
  burst(send: () => void): void {
    this.holding = true;
    send();
    this.holding = false;
    this.settle();
  }

  /** ICMP about a segment that the host sent. */
  sendIcmp(type: number, code: number, word: number, about: Sent): void {
    this.injectIpv4({ protocol: 1, payload: icmp({ type, code, word, data: about.raw.subarray(0, 28) }) });
  }

  /** The next segment that the host has sent. */
  next(): Sent {
    const sent = this.#parse(this.sent());
    if (sent.flags.includes('S')) {
      this.hostIss = (this.hostIss + sent.seq) >>> 0;
      return { ...sent, seq: 0 };
    }
    return sent;
  }

  /** The next segment is like this. Without `length` or `data` it has none. */
  recv(expected: Expected): Sent {
    const sent = this.next();
    const { data, length, ...fields } = expected;
    expect(sent).toMatchObject(fields);
    if (data === undefined) expect(sent.data.length).toBe(length ?? 0);
    else expect([...sent.data]).toEqual(Array.from(data));
    return sent;
  }

  recvNothing(): void {
    const all = this.driver.sent.map(frame => {
      const { flags, seq, ack, data } = this.#parse(frame);
      return `${flags} ${seq}+${data.length} ack ${ack}`;
    });
    expect(all).toEqual([]);
  }

  /** All segments that wait, and takes them. */
  drain(): Sent[] {
    const all: Sent[] = [];
    while (this.driver.sent.length > 0) all.push(this.next());
    return all;
  }

  /** What a program gets that reads all there is. */
  read(connection: TcpConnection, maxBytes = 1_000_000): number[] {
    const bytes = connection.read(maxBytes);
    this.settle();
    return bytes === null ? [] : [...bytes];
  }

  #segment(fields: SegmentFields, source: string, destination: string): Uint8Array {
    const options = [...(fields.options ?? [])];
    while (options.length % 4 !== 0) options.push(0);
    const letters = fields.flags ?? 'A';
    const flags = [...letters].reduce((bits, letter) => bits | FLAGS[letter]!, 0);
    const seq = (this.peerIss + (fields.seq ?? 1)) >>> 0;
    const ack = letters.includes('A') || fields.ack !== undefined ? (this.hostIss + (fields.ack ?? 1)) >>> 0 : 0;
    const word = (value: number): number[] => [(value >>> 8) & 255, value & 255];
    const header = [
      ...word(fields.sourcePort ?? this.peerPort),
      ...word(fields.destinationPort ?? this.hostPort),
      ...long(seq),
      ...long(ack),
      (fields.dataOffset ?? 5 + options.length / 4) << 4,
      flags,
      ...word(fields.window ?? 65_535),
      0,
      0,
      ...word(fields.urgent ?? 0),
      ...options,
    ];
    const octetsOf = [...header, ...Array.from(fields.data ?? [])];
    const pseudo = [...long(parseIpv4(source)), ...long(parseIpv4(destination)), 0, 6, ...word(octetsOf.length)];
    const checksum = (naiveChecksum([...pseudo, ...octetsOf]) + (fields.checksumError ?? 0)) & 0xffff;
    octetsOf.splice(16, 2, ...word(checksum));
    return Uint8Array.from(octetsOf);
  }

  #parse(frame: Uint8Array): Sent {
    const raw = frame.subarray(ETHERNET_BYTES);
    expect(raw[9]).toBe(6);
    const total = readBe16(raw, 2);
    const tcp = raw.subarray(20, total);
    const pseudo = [...raw.subarray(12, 20), 0, 6, (tcp.length >> 8) & 255, tcp.length & 255];
    expect(naiveChecksum([...pseudo, ...tcp])).toBe(0);
    const headerBytes = (tcp[12]! >> 4) * 4;
    const bits = tcp[13]!;
    const flags = ['S', 'F', 'R', 'P', 'A', 'U'].filter(letter => (bits & FLAGS[letter]!) !== 0).join('');
    return {
      flags,
      seq: (readBe32(tcp, 4) - this.hostIss) | 0,
      ack: flags.includes('A') ? (readBe32(tcp, 8) - this.peerIss) | 0 : 0,
      window: readBe16(tcp, 14),
      urgent: readBe16(tcp, 18),
      data: tcp.slice(headerBytes),
      dontFragment: (raw[6]! & 0x40) !== 0,
      ttl: raw[8]!,
      tos: raw[1]!,
      destinationPort: readBe16(tcp, 2),
      raw: raw.slice(0, total),
      ...this.#parseOptions(tcp.subarray(20, headerBytes)),
    };
  }

  #parseOptions(options: Uint8Array): Pick<Sent, 'mss' | 'scale' | 'sackPermitted' | 'ts' | 'sack'> {
    let mss: number | null = null;
    let scale: number | null = null;
    let sackPermitted = false;
    let ts: readonly [number, number] | null = null;
    const sack: (readonly [number, number])[] = [];
    for (let at = 0; at < options.length && options[at] !== 0; ) {
      const kind = options[at]!;
      if (kind === 1) {
        at += 1;
        continue;
      }
      const length = options[at + 1]!;
      expect(length).toBeGreaterThanOrEqual(2);
      if (kind === 2) mss = readBe16(options, at + 2);
      else if (kind === 3) scale = options[at + 2]!;
      else if (kind === 4) sackPermitted = true;
      else if (kind === 8) ts = [readBe32(options, at + 2), readBe32(options, at + 6)];
      else if (kind === 5) {
        for (let edge = at + 2; edge < at + length; edge += 8) {
          sack.push([(readBe32(options, edge) - this.peerIss) | 0, (readBe32(options, edge + 4) - this.peerIss) | 0]);
        }
      }
      at += length;
    }
    return { mss, scale, sackPermitted, ts, sack };
  }
}

/** SACK blocks of the peer, about octets of the host. */
export const sackOf = (rig: TcpRig, ...blocks: (readonly [number, number])[]): number[] => [
  1,
  1,
  5,
  2 + 8 * blocks.length,
  ...blocks.flatMap(([start, end]) => [...long((rig.hostIss + start) >>> 0), ...long((rig.hostIss + end) >>> 0)]),
];
