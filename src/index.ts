/**
 * Ringtail's public API: worlds of computers and cables, the programs that run on them, scenarios for the `ringtail`
 * command, recorders and probes. What is not exported here is free to change. Nothing here needs Node.
 *
 * A scenario file:
 *
 *     import { parseIpv4, type PingReport, ping, scenario } from 'ringtail';
 *
 *     export default scenario({
 *       summary: 'one ping',
 *       untilNs: 3_000_000_000,
 *       build(world) {
 *         const alice = world.computer('alice', { nics: [{ address: '192.0.2.1/24' }] });
 *         const bob = world.computer('bob', { nics: [{ address: '192.0.2.2/24' }] });
 *         world.cable('cable', alice.nics[0]!, bob.nics[0]!);
 *         const reports: PingReport[] = [];
 *         alice.start('client', function* (sys) {
 *           yield* sys.sleep(2_000_000_000);
 *           yield* ping(parseIpv4('192.0.2.2'), { count: 1 }, report => reports.push(report))(sys);
 *         });
 *         return { result: () => reports };
 *       },
 *     });
 */

export type { Impairment, ImpairmentCounters } from '../hw/ethernet/medium/impairment.ts';
export type { Impairments, PlannedLoss } from '../hw/ethernet/medium/impairments.ts';
export type { SwitchOptions, SwitchPortOptions } from '../hw/ethernet/switch/options.ts';
export { DhcpClient, type DhcpState } from '../kernel/apps/dhcp/client.ts';
export type { DhcpLease } from '../kernel/apps/dhcp/lease.ts';
export type { LeaseRow } from '../kernel/apps/dhcp/lease-table.ts';
export { DhcpServer } from '../kernel/apps/dhcp/server.ts';
export type { DhcpServerOptions } from '../kernel/apps/dhcp/server-options.ts';
export { NameError, Resolver, type ResolverOptions } from '../kernel/apps/dns/resolver.ts';
export { type DnsServerOptions, dnsServer } from '../kernel/apps/dns/server.ts';
export type { ZoneConfig, ZoneRecord } from '../kernel/apps/dns/zone.ts';
export { type PingOptions, type PingReply, type PingReport, ping } from '../kernel/apps/ping.ts';
export {
  type TracerouteHop,
  type TracerouteOptions,
  type TracerouteProbe,
  traceroute,
} from '../kernel/apps/traceroute.ts';
export { type UdpClientOptions, type UdpClientReport, udpClient } from '../kernel/apps/udp-client.ts';
export { ECHO_PORT, udpEcho } from '../kernel/apps/udp-echo.ts';
export type { Endpoint } from '../kernel/net/endpoint.ts';
export type { InterfaceConfig, InterfaceStatus } from '../kernel/net/interface-address.ts';
export type { Datagram, Descriptor, SocketType } from '../kernel/net/socket.ts';
export { SocketError } from '../kernel/net/socket-error.ts';
export type { Syscalls } from '../kernel/syscall.ts';
export type { Blocking, Program } from '../kernel/task.ts';
export { bytesFromHex, formatIpv4, formatMac, hexBytes, parseIpv4, parseMac } from './lib/bytes.ts';
export { deliveries, type FrameEvent, frameEvents } from './observe/frame-probe.ts';
export {
  type LineEvent,
  lineEvents,
  type PlicEvent,
  plicEvents,
  type TrapEvent,
  trapEvents,
} from './observe/interrupt-probe.ts';
export { type KernelEvent, kernelEvents } from './observe/kernel-probe.ts';
export { type MacEntry, macHistory } from './observe/mac-history.ts';
export { type MacEvent, macEvents } from './observe/mac-probe.ts';
export { type MappingEntry, natHistory } from './observe/nat-history.ts';
export { type NatEvent, natEvents } from './observe/nat-probe.ts';
export { type NicEvent, nicEvents } from './observe/nic-probe.ts';
export type { ByteSink } from './observe/pcapng.ts';
export { type RouteEntry, routeHistory } from './observe/route-history.ts';
export { type RouteEvent, routeEvents } from './observe/route-probe.ts';
export { type SwitchEvent, switchEvents } from './observe/switch-probe.ts';
export type { RowChange, Snapshot, TableChange, TableHistory } from './observe/table-history.ts';
export type { TextSink } from './observe/vcd.ts';
export { virtualTimeScheduler } from './observe/virtual-time-scheduler.ts';
export { COMPUTER_VIEWS, SWITCH_VIEWS } from './views/index.ts';
export type { Table } from './views/table.ts';
export type { View } from './views/view.ts';
export { type AccessCosts, type Computer, type ComputerOptions, FREE, PCI_LIKE } from './world/computer.ts';
export type { Jack } from './world/jack.ts';
export type { Nic, NicOptions } from './world/nic.ts';
export { type Recorder, recordFrames, recordSignals } from './world/recorders.ts';
export type { DraftRoute, RouteEditor } from './world/route-editor.ts';
export type { RouteOptions, RoutingOptions } from './world/routing.ts';
export {
  type OptionValues,
  type Scenario,
  type ScenarioOption,
  type ScenarioOptions,
  type ScenarioRun,
  scenario,
} from './world/scenario.ts';
export type { ForwardOptions, NatOptions } from './world/translation.ts';
export {
  type CableOptions,
  type FailedProgram,
  type HubOptions,
  type HubSegment,
  type OpenWire,
  type SwitchNode,
  type SwitchSegmentOptions,
  type Wire,
  type WireImpairments,
  World,
} from './world/world.ts';
