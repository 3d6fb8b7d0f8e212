// The message of `announce`, in a corner; it goes away by itself, or when its link is followed.
import { X } from "lucide-react";
import { dismiss, useMessage } from "../../ui/announce";
import { IconButton } from "../../ui/controls";
import { Link } from "../links/Link";

export function Announcement() {
  const message = useMessage();
  return (
    <div className="announcement" role="status" data-open={message !== null}>
      {message !== null && (
        <>
          <span>{message.text}</span>
          {message.link !== null && (
            <Link href={message.link.href} onClick={dismiss}>
              {message.link.label}
            </Link>
          )}
          <IconButton label="Dismiss" className="small" onClick={dismiss}>
            <X aria-hidden />
          </IconButton>
        </>
      )}
    </div>
  );
}
