/** What a newcomer sees in the editor. A test validates it against the schema. */

export const welcome = `# Welcome to KubeOrch.
#
# Sign in above, or paste an access token. Then put the
# cursor into an operation below and press Ctrl-Enter.
# Ctrl-Space completes names; the book on the left
# shows everything that there is.

# 1. Who am I, and what can I see?
query First {
  viewer { name email role }
  workflows(first: 5) {
    edges { node { id name status revision updatedAt } }
  }
}

# 2. Draw something: a workflow with one Deployment.
#    Copy the id that it answers.
mutation Create {
  createWorkflow(input: {
    name: "hello"
    nodes: [{
      id: "web"
      position: { x: 80, y: 80 }
      data: {
        deployment: { name: "web", image: "nginx:1.27", port: 80 }
      }
    }]
  }) {
    __typename
    ... on CreateWorkflowPayload { workflow { id name revision } }
    ... on UserError { code message path }
  }
}

# 3. Watch it. The variables below take the id:
#    { "id": "…" }. First comes a snapshot, then every
#    edit as it is made. Leave it running.
subscription Watch($id: ID!) {
  workflowChanged(workflowId: $id) {
    __typename
    ... on StreamEvent { seq }
    ... on WorkflowSnapshot { workflow { name revision } }
    ... on WorkflowEdited { revision actor { name } nodesRemoved }
  }
}

# 4. In a second window, change it:
#    { "id": "…", "revision": 1 }.
mutation Rename($id: ID!, $revision: Int!) {
  updateWorkflow(input: {
    workflowId: $id
    expectedRevision: $revision
    name: "hello again"
  }) {
    __typename
    ... on UpdateWorkflowPayload { workflow { name revision } }
    ... on UserError { code message path }
  }
}
`;
