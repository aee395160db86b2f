import { BellOff, BellRing, Check, Hourglass, type LucideIcon, MessageSquare, Send, TriangleAlert } from "lucide-react";
import { type Tone, toneText } from "@/components/ui/badge";
import { cn } from "@/components/ui/cn";
import { Time } from "@/components/ui/time";
import type { AlertDetailView } from "@/lib/alerts/schemas";

type Happened = AlertDetailView["history"][number];

const SHOWN: Readonly<Record<Happened["what"], { readonly icon: LucideIcon; readonly tone: Tone }>> = {
  pending: { icon: Hourglass, tone: "info" },
  firing: { icon: BellRing, tone: "bad" },
  resolved: { icon: Check, tone: "ok" },
  acknowledged: { icon: BellOff, tone: "info" },
  notice_delivered: { icon: Send, tone: "neutral" },
  notice_failed: { icon: TriangleAlert, tone: "warn" },
  note: { icon: MessageSquare, tone: "neutral" },
};

/** What happened to an alert, from its beginning. */
export function AlertHistory({ history }: { readonly history: AlertDetailView["history"] }) {
  return (
    <ol className="flex flex-col gap-2 text-sm">
      {history.map((happened) => {
        const { icon: Icon, tone } = SHOWN[happened.what];
        return (
          <li key={`${happened.at} ${happened.what} ${happened.text}`} className="flex items-start gap-2">
            <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", toneText[tone])} />
            <div className="min-w-0 wrap-anywhere">
              <p>{happened.text}</p>
              <p className="text-xs text-muted">
                <Time iso={happened.at} show="both" />
                {happened.who === null ? "" : `, ${happened.who}`}
              </p>
            </div>
          </li>
        );
      })}
    </ol>
  );
}
