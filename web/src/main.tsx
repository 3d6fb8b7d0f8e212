// Starts the page: theme, query cache, React.
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/charts.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { shouldRetry } from "./api/queries";
import { App } from "./pages/App";
import { Boundary } from "./pages/Boundary";
import { applyTheme } from "./ui/theme";

applyTheme();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: shouldRetry,
      retryDelay: (count) => Math.min(500 * 2 ** count, 4000),
      refetchOnWindowFocus: false,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root element.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={350}>
        <Boundary>
          <App />
        </Boundary>
      </Tooltip.Provider>
    </QueryClientProvider>
  </StrictMode>,
);
