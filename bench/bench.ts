import { leaveNothing, type Part } from "@/bench/children";
import { BadOption, HELP, type Options, readOptions } from "@/bench/options";

/**
 * What governing costs: `npm run bench`, `node .build/bench.js --help`. What plays another part, because it needs a process
 * of its own, is started with that part as its only argument. Each part loads only what it needs.
 */
async function play(part: Part): Promise<void> {
  // Whoever started us is gone.
  process.on("disconnect", () => process.exit());
  switch (part.part) {
    case "upstream": {
      const port = await (part.kind === "lean"
        ? (await import("@/bench/echo-upstream")).runLeanUpstream(part)
        : (await import("@/bench/sdk-upstream")).runSdkUpstream(part));
      process.send?.({ port });
      return;
    }
    case "stdio-upstream":
      (await import("@/bench/echo-upstream")).runStdioUpstream(part);
      return;
    case "prepare": {
      const { prepare } = await import("@/bench/prepare");
      process.send?.(await prepare(part.url, part.dataDir, part.spec));
    }
  }
}

async function measure(options: Options): Promise<void> {
  const database = process.env["BENCH_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
  if (options.peers) await (await import("@/bench/peers")).printPeers(database, options);
  else if (options.series.length > 0) await (await import("@/bench/series")).printSeries(database, options);
  else await (await import("@/bench/main-table")).printMainTables(database, options);
}

async function main(): Promise<void> {
  const [first = ""] = process.argv.slice(2);
  if (first.startsWith("{")) return play(JSON.parse(first) as Part);
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else await measure(options).finally(leaveNothing);
}

// A table that is cut short must leave neither gateways nor databases behind.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => void leaveNothing().finally(() => process.exit(1)));

main().catch((cause: unknown) => {
  const text = cause instanceof BadOption || !(cause instanceof Error) ? String(cause) : (cause.stack ?? cause.message);
  process.stderr.write(`${text}\n`);
  // What still listens or waits would keep a part that failed alive, and whoever waits for its word.
  process.exit(1);
});
