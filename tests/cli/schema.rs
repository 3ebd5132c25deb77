use crate::repo::Repo;

#[test]
fn the_schema_goes_to_standard_output_without_a_manifest() {
    let repo = Repo::new();
    let ran = repo.run(["schema"]).exits(0);
    let schema: serde_json::Value = serde_json::from_str(&ran.out()).unwrap();
    assert!(schema["properties"]["safety-level"].is_object());
    assert_eq!(ran.err(), "");
}

#[test]
fn the_schema_of_workflows_is_asked_for_by_name() {
    let repo = Repo::new();
    let ran = repo.run(["schema", "workflow"]).exits(0);
    let schema: serde_json::Value = serde_json::from_str(&ran.out()).unwrap();
    assert!(schema["properties"]["jobs"].is_object());
}
