"use client";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { SecretOnce } from "@/components/ui/secret-once";
import type { ChannelWithSecret } from "@/lib/channels/schemas";

/** The signing secret of a webhook, on the only occasion it is shown. */
export function SecretDialog({
  channel,
  onClose,
}: {
  readonly channel: ChannelWithSecret;
  readonly onClose: () => void;
}) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Copy the signing secret of ${channel.name}`}
      description="The receiver proves with it that a notice came from here, as Standard Webhooks says."
      footer={
        <Button variant="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <SecretOnce secret={channel.secret ?? ""} label="signing secret" />
    </Dialog>
  );
}
