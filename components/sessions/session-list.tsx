import type { ReactNode } from "react";
import { Badge } from "@/components/ui/badge";
import { Time } from "@/components/ui/time";
import type { OwnSessionView, SessionView } from "@/lib/auth/schemas";
import { browserWords } from "./browser-words";

/** Open sessions, each with where it is and since when. */
export function SessionList<Session extends SessionView | OwnSessionView>({
  label,
  sessions,
  actionOf,
}: {
  readonly label: string;
  readonly sessions: readonly Session[];
  readonly actionOf?: (session: Session) => ReactNode;
}) {
  return (
    <ul aria-label={label} className="flex flex-col divide-y divide-line rounded-md border border-line">
      {sessions.map((session) => (
        <li key={session.id} className="flex items-center justify-between gap-3 px-3 py-2 text-sm">
          <div className="min-w-0">
            <span className="font-medium" title={session.userAgent ?? undefined}>
              {browserWords(session.userAgent)}
            </span>{" "}
            {"current" in session && session.current ? <Badge>this one</Badge> : null}
            <SessionFacts session={session} />
          </div>
          {actionOf?.(session)}
        </li>
      ))}
    </ul>
  );
}

function SessionFacts({ session }: { readonly session: SessionView | OwnSessionView }) {
  const tenant = "tenant" in session ? session.tenant : null;
  return (
    <div className="flex flex-wrap gap-x-3 text-xs text-muted">
      <span>
        last used <Time iso={session.lastSeenAt} />
      </span>
      <span>
        signed in <Time iso={session.signedInAt} />
      </span>
      <span className="wrap-anywhere">from {session.address ?? "an unknown address"}</span>
      {tenant === null ? null : <span>in {tenant.name}</span>}
    </div>
  );
}
