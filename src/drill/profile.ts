/**
 * With which defaults the host runs: those of this stack, which follow the RFCs, or those that a Linux host has, so that
 * a script that was written for one means something here.
 */
import type { CongestionAlgorithm, TcpOptions } from '../../kernel/net/tcp/user.ts';

export type ProfileName = 'linux' | 'rfc';

export interface Profile {
  readonly name: ProfileName;
  readonly tcp: Partial<TcpOptions>;
  congestionToStack(name: string): string;
  congestionToScript(name: CongestionAlgorithm): string;
}

const LINUX: Profile = {
  name: 'linux',
  tcp: {
    congestion: 'cubic',
    initialWindowSegments: 10,
    slowStartSegments: Number.MAX_SAFE_INTEGER,
    minRtoNs: 200_000_000,
    rtoGranularityNs: 200_000_000,
    delayedAckNs: 40_000_000,
    quickAcks: 16,
    synRetries: 6,
    dataRetries: 15,
    timeWaitNs: 60_000_000_000,
    windowScaleBytes: 6_291_456,
    sendBufferBytes: 4_194_304,
  },
  // What Linux calls reno repairs several losses in one window, as RFC 6582 has it.
  congestionToStack: name => (name === 'reno' ? 'newreno' : name),
  congestionToScript: name => (name === 'newreno' ? 'reno' : name),
};

const RFC: Profile = {
  name: 'rfc',
  tcp: {},
  congestionToStack: name => name,
  congestionToScript: name => name,
};

export const PROFILES: Readonly<Record<ProfileName, Profile>> = { linux: LINUX, rfc: RFC };
