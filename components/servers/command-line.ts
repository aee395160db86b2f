/** Arguments are edited one per line, because a space inside one is legal and quoting rules are not ours. */
export const toLines = (parts: readonly string[]): string => parts.join("\n");
export const fromLines = (text: string): string[] => (text === "" ? [] : text.split("\n"));

/** The command as it will be started, each argument told apart, nothing cut. */
export function showCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  const quote = (part: string): string => (/^[\w@%+=:,./-]+$/.test(part) ? part : JSON.stringify(part));
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
  return [...variables, ...[command, ...args].map(quote)].join(" ");
}

export type SecretRow = { readonly name: string; readonly value: string };

export const toRows = (record: Readonly<Record<string, string>> | undefined): SecretRow[] =>
  Object.entries(record ?? {}).map(([name, value]) => ({ name, value }));

/** Rows without a name are not there yet; an empty record is left out. */
export function fromRows(rows: readonly SecretRow[]): Record<string, string> | undefined {
  const named = rows.filter((row) => row.name.trim() !== "");
  return named.length === 0 ? undefined : Object.fromEntries(named.map((row) => [row.name.trim(), row.value]));
}
