/** What QEMU calls a netdev: the NIC's peer, which takes any frame at once and keeps those that the NIC cannot take. */

export interface Netdev {
  /** The NIC that the netdev offers its frames to, and tells of its link. Set once, by that NIC. */
  nic: NetdevClient | null;
  /** Takes a frame: `octets` from DA to the last one before the FCS, which it may keep. */
  send(octets: Uint8Array): void;
  /** The NIC may be able to take frames now: the netdev offers some that wait. */
  flush(): void;
  save(): unknown;
  load(state: unknown): void;
}

/** What a netdev asks of its NIC. */
export interface NetdevClient {
  /** Whether the NIC could take a frame now. A netdev asks this before it offers one of its own accord. */
  readonly canReceive: boolean;
  /** Offers a frame. False: it must wait. Frames that the NIC drops are taken too. */
  receive(octets: Uint8Array): boolean;
  /** The link of the netdev went up or down. */
  linkIs(up: boolean): void;
}
