import { expect, test } from 'vitest';
import { ringtail } from '../../../support/ringtail-process.ts';

const UNTIL = ['--until', '3s', '--sockets'];

test('--sockets prints what every computer has open at the end', () => {
  const lines = ringtail('run', 'web', ...UNTIL).split('\n');
  const tables = lines.slice(lines.indexOf('server')).map(line => line.replace(/ +/g, ' ').replace(/:\d{5}\b/g, ':n'));
  expect(tables).toEqual([
    'server',
    ' Netid State Recv-Q Send-Q Local Peer Info',
    ' tcp LISTEN 0 16 *:80 *:*',
    ' tcp TIME-WAIT 0 0 192.0.2.1:80 192.0.2.2:n',
    ' tcp TIME-WAIT 0 0 192.0.2.1:80 192.0.2.2:n',
    '',
    'client',
    ' Netid State Recv-Q Send-Q Local Peer Info',
    ' tcp TIME-WAIT 0 0 192.0.2.2:n 192.0.2.1:80',
    ' tcp TIME-WAIT 0 0 192.0.2.2:n 192.0.2.1:80',
    '',
  ]);
});

test('--json has them too, if they are asked for', () => {
  const { sockets } = JSON.parse(ringtail('run', 'web', ...UNTIL, '--json'));
  expect(sockets.server[0]).toEqual({
    netid: 'tcp',
    state: 'LISTEN',
    recvQ: 0,
    sendQ: 16,
    local: { address: '0.0.0.0', port: 80 },
    peer: { address: '0.0.0.0', port: 0 },
    info: '',
  });
  expect(JSON.parse(ringtail('run', 'two-hosts', '--json'))).not.toHaveProperty('sockets');
});
