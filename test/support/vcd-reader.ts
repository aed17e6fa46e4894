/** Reads a VCD file back: the changes of each variable as `time:value`, by its name, the initial dump left out. */
export function readVcd(text: string): Record<string, string[]> {
  const names = new Map<string, string>();
  const changes: Record<string, string[]> = {};
  const scopes: string[] = [];
  const [header, body] = text.split('$enddefinitions $end\n') as [string, string];
  for (const line of header.split('\n')) {
    const words = line.split(' ');
    if (words[0] === '$scope') scopes.push(words[2]!);
    else if (words[0] === '$upscope') scopes.pop();
    else if (words[0] === '$var') {
      const name = [...scopes, words[4]].join('.');
      names.set(words[3]!, name);
      changes[name] = [];
    }
  }
  let time = '0';
  for (const line of body.slice(body.indexOf('$end\n') + 5).split('\n')) {
    const vector = /^b([01x]+) (.+)$/.exec(line);
    if (line.startsWith('#')) time = line.slice(1);
    else if (vector !== null) changes[names.get(vector[2]!)!]!.push(`${time}:${vector[1]}`);
    else if (line !== '') changes[names.get(line.slice(1))!]!.push(`${time}:${line[0]}`);
  }
  return changes;
}
