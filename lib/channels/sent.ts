/** How one attempt ended. An `error` beside success says what was odd about it. */
export type Sent =
  | { readonly delivered: true; readonly status: number | null; readonly error: string | null }
  | {
      readonly delivered: false;
      readonly status: number | null;
      readonly error: string;
      /** Asking again cannot help. */
      readonly final: boolean;
      readonly retryAfterMs: number | null;
    };
