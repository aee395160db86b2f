/**
 * An MCP server on standard streams in one line of JavaScript, for `node -e`. `on(message, write)` returns the result of a
 * request, or undefined to stay silent.
 */
export const stdioProgram = (on: string): string => `
  const write = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
  const on = ${on};
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const m = JSON.parse(line);
    if (m.method === "initialize") write({ id: m.id, result: { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "tiny", version: "1" } } });
    else if (m.method === "ping") write({ id: m.id, result: {} });
    else if (m.id !== undefined && m.method) { const result = on(m, write); if (result !== undefined) write({ id: m.id, result }); }
  });`;
