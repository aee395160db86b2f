"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { formatPlural } from "@/components/ui/format";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { serverQuery } from "@/lib/client/servers";
import { EnableStep } from "./enable-step";
import { MapStep } from "./map-step";
import { SourceStep } from "./source-step";
import { TryTool } from "./try-tool";
import { STEP_IDS, type StepId, WizardSteps } from "./wizard-steps";

type Go = (step: StepId) => void;

/** From a pasted line to an enabled server. Once registered, the server and the step are in the URL. */
export function RegisterWizard({ tenant }: { readonly tenant: string }) {
  const [{ server, step }, setAt] = useQueryStates(
    { server: parseAsString, step: parseAsStringLiteral(STEP_IDS).withDefault("source") },
    { history: "push" },
  );
  const shown = server === null && step !== "probe" ? "source" : step;
  return (
    <>
      <PageHeader
        title="Register a server"
        purpose="The gateway asks it what it is; you decide who may call what. Nothing is open to agents before the last step."
      />
      <WizardSteps current={shown} />
      {server === null ? (
        <SourceStep
          tenant={tenant}
          probing={shown === "probe"}
          onProbing={(on) => setAt({ step: on ? "probe" : "source" }, { history: "replace" })}
          onRegistered={(id) => setAt({ server: id, step: "map" })}
        />
      ) : (
        <RegisteredSteps tenant={tenant} id={server} step={shown} go={(next) => setAt({ step: next })} />
      )}
    </>
  );
}

function RegisteredSteps({
  tenant,
  id,
  step,
  go,
}: {
  readonly tenant: string;
  readonly id: string;
  readonly step: StepId;
  readonly go: Go;
}) {
  const server = useQuery(serverQuery(tenant, id));
  if (server.error) return <ErrorState error={server.error} onRetry={server.refetch} />;
  if (!server.data) return <SkeletonRows label="Loading the server" />;
  if (step === "try")
    return (
      <>
        <TryTool tenant={tenant} server={server.data} />
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => go("map")}>Back to mapping</Button>
          <Button variant="primary" onClick={() => go("enable")}>
            Continue
          </Button>
        </div>
      </>
    );
  if (step === "enable") return <EnableStep tenant={tenant} server={server.data} onBack={() => go("try")} />;
  return (
    <>
      <p className="text-sm text-muted">
        {server.data.name} is registered as a draft with {formatPlural(server.data.toolCount, "tool", "tools")}; you can
        come back to it{" "}
        <Link className="text-accent-text underline" href={`/${tenant}/servers/${id}`}>
          on its page
        </Link>{" "}
        at any time.
      </p>
      <MapStep key={server.data.id} tenant={tenant} server={server.data} onDone={() => go("try")} />
    </>
  );
}
