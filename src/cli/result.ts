/** Prints a scenario's result for a person: one `name: value` a line, nested values indented. */
export function printResult(result: unknown): void {
  for (const line of linesOf(result, '')) process.stdout.write(`${line}\n`);
}

function linesOf(value: unknown, indent: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${indent}${String(value)}`];
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0
      ? [`${indent}${name}:`, ...linesOf(inner, `${indent}  `)]
      : [`${indent}${name}: ${text(inner)}`],
  );
}

const text = (value: unknown): string => (typeof value === 'object' && value !== null ? 'none' : String(value));
