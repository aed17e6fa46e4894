/** The views there are, by the names that `ringtail show` knows them by. */
import type { Computer } from '../world/computer.ts';
import type { SwitchNode } from '../world/world.ts';
import { addrView } from './addr.ts';
import { connectionsView } from './connections.ts';
import { filterView } from './filter.ts';
import { macView } from './mac.ts';
import { natView } from './nat.ts';
import { neighView } from './neigh.ts';
import { portsView } from './ports.ts';
import { routeView } from './route.ts';
import { socketsView } from './sockets.ts';
import type { View } from './view.ts';

export const COMPUTER_VIEWS = {
  addr: addrView,
  route: routeView,
  neigh: neighView,
  nat: natView,
  filter: filterView,
  connections: connectionsView,
  sockets: socketsView,
} satisfies Readonly<Record<string, View<Computer>>>;

export const SWITCH_VIEWS = { mac: macView, ports: portsView } satisfies Readonly<Record<string, View<SwitchNode>>>;
