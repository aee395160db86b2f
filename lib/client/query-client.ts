import { QueryCache, QueryClient } from "@tanstack/react-query";
import { isApiProblem } from "@/lib/client/api";

/** A refusal stays a refusal: only trouble on the way or on our side is worth asking again. */
const worthRetrying = (failures: number, cause: unknown): boolean =>
  failures < 2 && !(isApiProblem(cause) && cause.status < 500);

/** Whoever comes to a page whose session has ended, perhaps by nobody having been there, finds no more of what it showed. */
function leaveWhereEnded(cause: unknown): void {
  if (typeof window === "undefined" || !isApiProblem(cause) || cause.code !== "unauthenticated") return;
  const { pathname, search } = window.location;
  window.location.assign(`/sign-in?callbackUrl=${encodeURIComponent(`${pathname}${search}`)}`);
}

/** One per browser tab, and one per request on the server. */
export const makeQueryClient = (): QueryClient =>
  new QueryClient({
    queryCache: new QueryCache({ onError: leaveWhereEnded }),
    defaultOptions: {
      queries: { staleTime: 10_000, retry: worthRetrying, refetchOnWindowFocus: true },
      mutations: { retry: false },
    },
  });
