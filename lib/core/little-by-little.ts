import { singleton } from "@/lib/core/singleton";

/** Work that would keep the loop of this process busy if it were done at once. */
export type Work = {
  /** Whose it is: owners take turns, however much work one of them has. */
  readonly owner: object;
  /** Does a little, well under a millisecond of it; true when all is done. What it throws ends the work. */
  readonly step: () => boolean;
  /** False as soon as nobody waits for it any more. */
  readonly isWanted: () => boolean;
};

type Waiting = Work & {
  readonly resolve: (done: boolean) => void;
  readonly reject: (cause: unknown) => void;
};
type Lane = { readonly lines: Map<object, Waiting[]>; isRunning: boolean };

/** How much of a turn of the loop all such work may take together. */
const MS_PER_TURN = 1;

const lane = (): Lane => singleton("core.little-by-little", () => ({ lines: new Map(), isRunning: false }));

/** Does work between other things, one piece of work at a time. Resolves to true when it was done, to false when nobody wanted it. */
export function littleByLittle(work: Work): Promise<boolean> {
  const { lines, isRunning } = lane();
  return new Promise<boolean>((resolve, reject) => {
    const line = lines.get(work.owner) ?? [];
    lines.set(work.owner, line);
    line.push({ ...work, resolve, reject });
    if (isRunning) return;
    lane().isRunning = true;
    setImmediate(runTurn);
  });
}

function runTurn(): void {
  const until = performance.now() + MS_PER_TURN;
  const { lines } = lane();
  for (let next = first(lines); next !== null && performance.now() < until; next = first(lines)) advance(lines, next);
  lane().isRunning = lines.size > 0;
  if (lane().isRunning) setImmediate(runTurn);
}

type Next = { readonly owner: object; readonly line: Waiting[]; readonly work: Waiting };

function first(lines: Lane["lines"]): Next | null {
  for (const [owner, line] of lines) {
    const [work] = line;
    if (work !== undefined) return { owner, line, work };
    lines.delete(owner);
  }
  return null;
}

/** One step; when it was the last of its work, the next turn is another owner's. */
function advance(lines: Lane["lines"], { owner, line, work }: Next): void {
  try {
    const isWanted = work.isWanted();
    if (isWanted && !work.step()) return;
    work.resolve(isWanted);
  } catch (cause) {
    work.reject(cause);
  }
  line.shift();
  lines.delete(owner);
  if (line.length > 0) lines.set(owner, line);
}
