/** nginx on a Linux host, with nothing outside of a directory that is the caller's: documents in `served`, and its log. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LinuxHost } from './linux-host.ts';

/** No daemon, no worker. */
const configuration = (directory: string, address: string) => `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events {}
http {
  access_log ${directory}/access.log;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${directory}/temp;`).join('\n  ')}
  server {
    listen ${address}:80;
    root ${directory}/served;
  }
}`;

export class Nginx {
  readonly #directory: string;

  /** Serves `documents`, by name, in a directory that it makes. */
  constructor(directory: string, documents: Readonly<Record<string, Uint8Array>>) {
    this.#directory = directory;
    mkdirSync(join(directory, 'served'), { recursive: true });
    for (const [name, octets] of Object.entries(documents)) writeFileSync(join(directory, 'served', name), octets);
  }

  /** Starts at `address` of `host`. */
  start(host: LinuxHost, address: string): void {
    const path = join(this.#directory, 'nginx.conf');
    writeFileSync(path, configuration(this.#directory, address));
    host.serve('nginx', '-e', join(this.#directory, 'error.log'), '-c', path);
  }

  /** What it has served: a line for each request, which the client's address begins. */
  log(): string {
    return readFileSync(join(this.#directory, 'access.log'), { encoding: 'utf8', flag: 'a+' });
  }
}
