import { QueryClient } from "@tanstack/react-query";
import { isApiProblem } from "@/lib/client/api";

/** A refusal stays a refusal: only trouble on the way or on our side is worth asking again. */
const worthRetrying = (failures: number, cause: unknown): boolean =>
  failures < 2 && !(isApiProblem(cause) && cause.status < 500);

/** One per browser tab, and one per request on the server. */
export const makeQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: { staleTime: 10_000, retry: worthRetrying, refetchOnWindowFocus: true },
      mutations: { retry: false },
    },
  });
