/**
 * Bridge Protocol Data Units, IEEE 802.1D-2004 clause 9, in frames to 01-80-C2-00-00-00 behind the LLC header 42-42-03:
 * Configuration and Topology Change Notification of the old protocol (version 0), and Rapid Spanning Tree (version 2).
 */
import { bytesFromHex, hexBytes, readBe16, readBe32, writeBe16, writeBe32 } from '../../../../src/lib/bytes.ts';
import { FCS_BYTES, MIN_FRAME_BYTES } from '../../frame.ts';
import type { BridgeId, PriorityVector, Times } from './priority-vector.ts';

/** What the sender says that its port is. A Configuration BPDU speaks for a designated one. */
export type BpduRole = 'unknown' | 'alternate or backup' | 'root' | 'designated';

export interface ConfigurationBpdu {
  /** `config` is version 0, `rst` version 2. */
  readonly kind: 'config' | 'rst';
  /** Its `receivingPort` is 0. */
  readonly priority: PriorityVector;
  readonly times: Times;
  readonly topologyChange: boolean;
  /** Version 0 alone. */
  readonly topologyChangeAck: boolean;
  // Version 2 alone.
  readonly role: BpduRole;
  readonly proposal: boolean;
  readonly agreement: boolean;
  readonly learning: boolean;
  readonly forwarding: boolean;
}

export type Bpdu = ConfigurationBpdu | { readonly kind: 'tcn' };

const BRIDGE_GROUP_ADDRESS = Uint8Array.of(0x01, 0x80, 0xc2, 0x00, 0x00, 0x00);
const LENGTH_AT = 12;
const LLC = [0x42, 0x42, 0x03] as const;
const LLC_AT = 14;
/** Where the BPDU begins: its protocol identifier. */
const BPDU_AT = 17;
const CONFIG_BYTES = 35;
const RST_BYTES = 36;
const TCN_BYTES = 4;
const TYPE_CONFIG = 0x00;
const TYPE_RST = 0x02;
const TYPE_TCN = 0x80;
const VERSION_RSTP = 2;
/** Times count in so many parts of a second. */
const TICKS_PER_SECOND = 256;

const FLAG = { tc: 0x01, proposal: 0x02, learning: 0x10, forwarding: 0x20, agreement: 0x40, tcAck: 0x80 } as const;
const ROLE_SHIFT = 2;
/** By the two bits of the flags. */
const ROLES: readonly BpduRole[] = ['unknown', 'alternate or backup', 'root', 'designated'];

/** The octets, DA first, of a frame from `source`, six octets, that carries `bpdu`; padded. */
export function encodeBpdu(bpdu: Bpdu, source: Uint8Array): Uint8Array {
  const octets = new Uint8Array(MIN_FRAME_BYTES - FCS_BYTES);
  octets.set(BRIDGE_GROUP_ADDRESS);
  octets.set(source, 6);
  octets.set(LLC, LLC_AT);
  const bytes = bpdu.kind === 'tcn' ? TCN_BYTES : bpdu.kind === 'rst' ? RST_BYTES : CONFIG_BYTES;
  writeBe16(octets, LENGTH_AT, LLC.length + bytes);
  const at = BPDU_AT;
  if (bpdu.kind === 'tcn') {
    octets[at + 3] = TYPE_TCN;
    return octets;
  }
  const { priority, times } = bpdu;
  octets[at + 2] = bpdu.kind === 'rst' ? VERSION_RSTP : 0;
  octets[at + 3] = bpdu.kind === 'rst' ? TYPE_RST : TYPE_CONFIG;
  octets[at + 4] = flagsOf(bpdu);
  octets.set(bytesFromHex(priority.root.replace('.', '')), at + 5);
  writeBe32(octets, at + 13, priority.rootPathCost);
  octets.set(bytesFromHex(priority.bridge.replace('.', '')), at + 17);
  writeBe16(octets, at + 25, priority.port);
  for (const [i, seconds] of [times.messageAge, times.maxAge, times.helloTime, times.forwardDelay].entries()) {
    writeBe16(octets, at + 27 + 2 * i, Math.round(seconds * TICKS_PER_SECOND));
  }
  return octets;
}

/** The BPDU in the octets of a frame to the bridge group address; null when it is none, or not a valid one (9.3.4). */
export function decodeBpdu(octets: Uint8Array): Bpdu | null {
  const length = readBe16(octets, LENGTH_AT) - LLC.length;
  if (length < TCN_BYTES || length > octets.length - BPDU_AT) return null;
  if (LLC.some((octet, i) => octets[LLC_AT + i] !== octet)) return null;
  const at = BPDU_AT;
  if (readBe16(octets, at) !== 0) return null;
  const version = octets[at + 2]!;
  const type = octets[at + 3]!;
  if (type === TYPE_TCN) return { kind: 'tcn' };
  if (type === TYPE_CONFIG && length >= CONFIG_BYTES) {
    const bpdu = decodeConfiguration(octets, 'config');
    return bpdu.times.messageAge < bpdu.times.maxAge ? bpdu : null;
  }
  if (type === TYPE_RST && version >= VERSION_RSTP && length >= RST_BYTES) return decodeConfiguration(octets, 'rst');
  return null;
}

function decodeConfiguration(octets: Uint8Array, kind: 'config' | 'rst'): ConfigurationBpdu {
  const at = BPDU_AT;
  const flags = octets[at + 4]!;
  const rst = kind === 'rst';
  const seconds = (i: number) => readBe16(octets, at + 27 + 2 * i) / TICKS_PER_SECOND;
  return {
    kind,
    priority: {
      root: idAt(octets, at + 5),
      rootPathCost: readBe32(octets, at + 13),
      bridge: idAt(octets, at + 17),
      port: readBe16(octets, at + 25),
      receivingPort: 0,
    },
    times: { messageAge: seconds(0), maxAge: seconds(1), helloTime: seconds(2), forwardDelay: seconds(3) },
    topologyChange: (flags & FLAG.tc) !== 0,
    topologyChangeAck: !rst && (flags & FLAG.tcAck) !== 0,
    role: rst ? ROLES[(flags >>> ROLE_SHIFT) & 3]! : 'designated',
    proposal: rst && (flags & FLAG.proposal) !== 0,
    agreement: rst && (flags & FLAG.agreement) !== 0,
    learning: rst && (flags & FLAG.learning) !== 0,
    forwarding: rst && (flags & FLAG.forwarding) !== 0,
  };
}

function flagsOf(bpdu: ConfigurationBpdu): number {
  const tc = bpdu.topologyChange ? FLAG.tc : 0;
  if (bpdu.kind === 'config') return tc | (bpdu.topologyChangeAck ? FLAG.tcAck : 0);
  return (
    tc |
    (bpdu.proposal ? FLAG.proposal : 0) |
    (ROLES.indexOf(bpdu.role) << ROLE_SHIFT) |
    (bpdu.learning ? FLAG.learning : 0) |
    (bpdu.forwarding ? FLAG.forwarding : 0) |
    (bpdu.agreement ? FLAG.agreement : 0)
  );
}

function idAt(octets: Uint8Array, at: number): BridgeId {
  return `${hexBytes(octets.subarray(at, at + 2), '')}.${hexBytes(octets.subarray(at + 2, at + 8), '')}`;
}
