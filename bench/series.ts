import { gatewaysFor, makeWorld, nameOf, startGateway, startUpstream, stop, type World } from "@/bench/children";
import { type Measured, measure, type Target, warmUp } from "@/bench/load";
import { through } from "@/bench/main-table";
import type { GatewayKind, Options, SeriesName } from "@/bench/options";
import type { WorldSpec } from "@/bench/prepare";
import { cells, fixed, head, say, surroundings } from "@/bench/table";

const CALLERS = 32;

type Series = {
  readonly unit: string;
  readonly title: string;
  readonly rows: readonly number[];
  readonly spec: (row: number) => Omit<WorldSpec, "upstreamUrl">;
  /** True where the calls are spread over all tenants; otherwise only the first one's agent calls. */
  readonly spread?: boolean;
};

const ALL: Readonly<Record<SeriesName, Series>> = {
  tenants: {
    unit: "tenants",
    title: "Tenants, each with a server and an agent; the agent of one of them calls",
    rows: [1, 10, 100],
    spec: (tenants) => ({ tenants, tools: 1, entries: 0 }),
  },
  "busy-tenants": {
    unit: "tenants",
    title: "Tenants, the same number of calls spread over the agents of all of them",
    rows: [1, 10, 100],
    spec: (tenants) => ({ tenants, tools: 1, entries: 0 }),
    spread: true,
  },
  tools: {
    unit: "tools",
    title: "Tools of the server, all mapped; the callers call different ones",
    rows: [10, 100, 1_000],
    spec: (tools) => ({ tenants: 1, tools, entries: 0 }),
  },
  entries: {
    unit: "entries",
    title: "Entries in the tenant's trail before the first call",
    rows: [0, 100_000, 1_000_000],
    spec: (entries) => ({ tenants: 1, tools: 1, entries }),
  },
};

/** A row and what was measured of it, round after round. */
export type RowFigures = { readonly row: number; readonly rounds: readonly Measured[] };
type Row = {
  readonly row: number;
  readonly target: Target;
  readonly rounds: Measured[];
  readonly close: () => Promise<unknown>;
};

/** Everything of one row: its own upstream, database and gateway, up all the time, called when it is its turn. */
async function openRow(series: Series, row: number, gateway: GatewayKind, { database, options }: At): Promise<Row> {
  const spec = series.spec(row);
  const upstream = await startUpstream(options.upstreams[0] ?? "lean", { delayMs: options.delayMs, tools: spec.tools });
  const world = await makeWorld(database, { ...spec, upstreamUrl: upstream.url });
  const { child, url } = await startGateway(gateway, world, options);
  const calling: World = series.spread === true ? world : { ...world, tenants: world.tenants.slice(0, 1) };
  return {
    row,
    target: through(nameOf(gateway), url, child.pid, calling),
    rounds: [],
    close: () => Promise.all([stop(upstream.child), stop(child)]).then(world.drop),
  };
}

type At = { readonly database: string; readonly options: Options };

/** For each series a table; its rows take turns, so that a change of the machine meets all of them and shows. */
export async function printSeries(database: string, options: Options): Promise<void> {
  say(
    `${surroundings()}\n${options.seconds} s per row and round, ${options.rounds} rounds, ${callersOf(options)} callers.`,
  );
  for (const name of options.series) await printOne(ALL[name], { database, options });
}

const callersOf = ({ callers }: Options): number => callers?.[0] ?? CALLERS;

async function printOne(series: Series, at: At): Promise<void> {
  const { options } = at;
  const gateway = gatewaysFor(options, ["server"])[0] ?? "door";
  const rows: Row[] = [];
  try {
    for (const row of options.rows ?? series.rows) rows.push(await openRow(series, row, gateway, at));
    for (const { target } of rows) await warmUp(target, options.seconds);
    for (let round = 0; round < options.rounds; round += 1) {
      // There and back, so that no row always comes after the same one.
      await goRound(round % 2 === 0 ? rows : rows.toReversed(), options);
    }
    say(`\n### ${series.title}\n\n${tableOf(series.unit, rows)}`);
  } finally {
    await Promise.all(rows.map(({ close }) => close()));
  }
}

async function goRound(rows: readonly Row[], options: Options): Promise<void> {
  for (const { row, target, rounds } of rows) {
    const measured = await measure(target, callersOf(options), options.seconds * 1_000);
    if (measured.firstFailure !== null) process.stderr.write(`row ${row}: ${measured.firstFailure}\n`);
    rounds.push(measured);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}

/** Half of the way from the least to the most, as a share of the median: how far one row differs from itself. */
const spread = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2 / median(values);

const share = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)} %`;

const FIGURES = [
  (measured: Measured) => measured.cpuMsPerCall ?? 0,
  (measured: Measured) => measured.databaseMsPerCall ?? 0,
  (measured: Measured) => measured.p50Ms,
];

/** The medians of each row, how far they are from those of the first row, and how far apart its own rounds are. */
export function tableOf(unit: string, rows: readonly RowFigures[]): string {
  const [first] = rows;
  const lines = rows.map(({ row, rounds }) => {
    const figures = FIGURES.flatMap((figure) => {
      const values = rounds.map(figure);
      const base = median((first?.rounds ?? []).map(figure));
      return [fixed(median(values), 3), share(median(values) / base - 1), `±${(spread(values) * 100).toFixed(1)} %`];
    });
    const sum = (count: (measured: Measured) => number) => rounds.reduce((all, each) => all + count(each), 0);
    const rate = Math.round(median(rounds.map(({ callsPerSecond }) => callsPerSecond)));
    const resident = fixed(median(rounds.map(({ residentMb }) => residentMb ?? 0)), 0);
    return cells(
      row,
      ...figures,
      rate,
      resident,
      sum(({ failed }) => failed),
      sum(({ wrong }) => wrong),
    );
  });
  const deviation = ["from first", "own spread"];
  const columns = ["CPU ms/call", ...deviation, "database CPU ms/call", ...deviation, "P50 ms", ...deviation];
  return `${head([unit, ...columns, "calls/s", "resident MB", "failed", "wrong"])}\n${lines.join("\n")}`;
}
