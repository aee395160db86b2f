/** How long a stopping process waits for a receiver that does not answer. */
const LAST_WORDS_MS = 3_000;

/** Ends what sends to a receiver; gives up where that takes too long. Never rejects. */
export async function lastWords(stop: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_WORDS_MS);
  });
  await Promise.race([stop().catch(() => undefined), late]);
  clearTimeout(timer);
}
