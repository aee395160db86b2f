"use client";
import { OctagonX } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { problemText } from "@/lib/client/form-issues";
import type { KillKind, KillSwitchView } from "@/lib/kill-switches/schemas";
import { useKillSwitchAct, useKillSwitches } from "./use-kill-switches";

type Props = {
  readonly tenant: string;
  readonly kind: KillKind;
  /** As the switch names it: a slug, or `<server>/<tool>`. */
  readonly target: string;
  /** As people call it. */
  readonly name: string;
};

/** Stops this one thing, or lets it go on. */
export function KillButton(props: Props) {
  const { tenant, kind, target } = props;
  const may = useMay("killswitch:write");
  const { thrown } = useKillSwitches(tenant);
  const [asking, setAsking] = useState(false);
  const inForce = thrown.find((each) => each.kind === kind && (kind === "tenant" || each.target === target));
  const close = () => setAsking(false);
  if (!may) return null;
  return (
    <>
      <Button className={inForce ? undefined : "text-bad"} onClick={() => setAsking(true)}>
        <OctagonX aria-hidden />
        {inForce ? "Lift kill switch" : kind === "tenant" ? "Stop the whole tenant" : "Kill switch"}
      </Button>
      {asking && inForce ? <LiftDialog {...props} inForce={inForce} onClose={close} /> : null}
      {asking && !inForce ? <ThrowDialog {...props} onClose={close} /> : null}
    </>
  );
}

function ThrowDialog({ tenant, kind, target, name, onClose }: Props & { readonly onClose: () => void }) {
  const { start } = useKillSwitchAct(tenant, onClose);
  return (
    <ReasonDialog
      title={`Stop ${name}`}
      description="Its calls are refused within five seconds everywhere, and those in flight are ended. They may have had an effect."
      action={`Stop ${kind}`}
      danger
      pending={start.isPending}
      error={start.error ? problemText(start.error) : null}
      onConfirm={(reason) => start.mutate({ kind, target, reason })}
      onClose={onClose}
    />
  );
}

type LiftProps = Props & { readonly inForce: KillSwitchView; readonly onClose: () => void };

function LiftDialog({ tenant, name, inForce, onClose }: LiftProps) {
  const { end } = useKillSwitchAct(tenant, onClose);
  const why = inForce.reason === "" ? "" : `: ${inForce.reason}`;
  return (
    <ReasonDialog
      title={`Let ${name} go on`}
      description={`Stopped by ${inForce.thrownBy}${why}. Calls pass again within seconds.`}
      action="Lift kill switch"
      minReason={0}
      pending={end.isPending}
      error={end.error ? problemText(end.error) : null}
      onConfirm={(reason) => end.mutate({ id: inForce.id, reason })}
      onClose={onClose}
    />
  );
}
