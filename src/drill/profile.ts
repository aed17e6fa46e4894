/**
 * With which defaults the host runs: those of this stack, which follow the RFCs, or those that a Linux or FreeBSD host
 * has, so that a script that was written for one means something here. Those of FreeBSD are of tcp(4), release 14,
 * where it names one; docs/drill.md says which it does not name.
 */
import type { CongestionAlgorithm, TcpOptions } from '../../kernel/net/tcp/user.ts';

export type ProfileName = 'linux' | 'freebsd' | 'rfc';

export interface Profile {
  readonly name: ProfileName;
  readonly tcp: Partial<TcpOptions>;
  /** O_NONBLOCK as `fcntl` gives it. */
  readonly nonBlockingFlag: number;
  /** How many connections may wait where a script says `listen(…, backlog)`. */
  backlog(asked: number): number;
  congestionToStack(name: string): string;
  congestionToScript(name: CongestionAlgorithm): string;
}

const SAME = {
  congestionToStack: (name: string): string => name,
  congestionToScript: (name: CongestionAlgorithm): string => name,
};

const LINUX: Profile = {
  name: 'linux',
  tcp: {
    congestion: 'cubic',
    initialWindowSegments: 10,
    slowStartSegments: Number.MAX_SAFE_INTEGER,
    proportionalRateReduction: true,
    minRtoNs: 200_000_000,
    rtoGranularityNs: 200_000_000,
    delayedAckNs: 40_000_000,
    quickAcks: 16,
    synRetries: 6,
    synAckRetries: 5,
    dataRetries: 15,
    timeWaitNs: 60_000_000_000,
    windowScaleBytes: 6_291_456,
    sendBufferBytes: 4_194_304,
  },
  nonBlockingFlag: 0x800,
  backlog: asked => asked + 1,
  // What Linux calls reno repairs several losses in one window, as RFC 6582 has it.
  congestionToStack: name => (name === 'reno' ? 'newreno' : name),
  congestionToScript: name => (name === 'newreno' ? 'reno' : name),
};

const FREEBSD: Profile = {
  name: 'freebsd',
  tcp: {
    congestion: 'cubic',
    initialWindowSegments: 10,
    // abc_l_var.
    slowStartSegments: 2,
    proportionalRateReduction: true,
    minRtoNs: 30_000_000,
    rtoSlopNs: 200_000_000,
    delayedAckNs: 40_000_000,
    keepAlive: { idleNs: 7200e9, intervalNs: 75e9, count: 8 },
    openTimeoutNs: 75_000_000_000,
    synRetries: 12,
    synAckRetries: 3,
    synLinearTimeouts: 4,
    dataRetries: 12,
    timeWaitNs: 60_000_000_000,
    receiveBufferBytes: 65_536,
    windowScaleBytes: 2_097_152,
    sendBufferBytes: 32_768,
    bsdWindows: true,
    resetUnread: false,
  },
  nonBlockingFlag: 0x4,
  // listen(2): the queue overflows at one and a half times the backlog.
  backlog: asked => Math.floor(1.5 * asked) + 1,
  ...SAME,
};

const RFC: Profile = { name: 'rfc', tcp: {}, nonBlockingFlag: 0x800, backlog: asked => asked, ...SAME };

export const PROFILES: Readonly<Record<ProfileName, Profile>> = { linux: LINUX, freebsd: FREEBSD, rfc: RFC };
