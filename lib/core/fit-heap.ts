import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** How often it is looked at, ms. */
const LOOK_MS = 200;
/** What a call under way should find, bytes: several times what it allocates, so that it is over before it is moved. */
const BYTES_PER_CALL = 256 * 1_024;
/** What the young generation may have without any call, bytes. */
const LEAST_BYTES = 4 * 1_024 * 1_024;
/** Fewer calls than this leave the collector time to keep the heap small. */
const CROWD = 16;
/** Looks in a row without a crowd until the process counts as calm: ten seconds. */
const CALM_LOOKS = 50;

/** What V8 multiplies the young generation by when it finds it too small; 1 leaves it as it is. */
const growYoungBy = (factor: 1 | 2) => setFlagsFromString(`--semi-space-growth-factor=${factor}`);

/** Whether the collector closes gaps early and gives memory back, or spends as little time as it can. */
const keepSmall = (small: boolean) => setFlagsFromString(`--${small ? "" : "no-"}optimize-for-size`);

/** Bytes of that half of the young generation that is in use. */
function youngBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_size ?? 0) / 2;
}

/**
 * Fits V8's heap to the calls under way. With many, the young generation may grow as far as they need it, at most to what
 * Node was started with (`--max-semi-space-size`); with few, gaps are closed and memory is given back. Left to itself V8
 * grows under any load, given time: a thousand quiet sessions end with the memory of a thousand calls at once, half of
 * it gaps. Returns what ends it.
 */
export function fitHeap(callsUnderWay: () => number, lookMs = LOOK_MS): () => void {
  let factor: 1 | 2 = 1;
  let calmLooks = CALM_LOOKS;
  growYoungBy(factor);
  keepSmall(true);
  const look = () => {
    const calls = callsUnderWay();
    const wanted = Math.max(LEAST_BYTES, calls * BYTES_PER_CALL) > youngBytes() ? 2 : 1;
    if (wanted !== factor) growYoungBy(wanted);
    factor = wanted;
    const before = calmLooks;
    calmLooks = calls < CROWD ? Math.min(calmLooks + 1, CALM_LOOKS) : 0;
    if (before === CALM_LOOKS && calmLooks === 0) keepSmall(false);
    else if (before < CALM_LOOKS && calmLooks === CALM_LOOKS) keepSmall(true);
  };
  const timer = setInterval(look, lookMs).unref();
  return () => {
    clearInterval(timer);
    growYoungBy(2);
    keepSmall(false);
  };
}
