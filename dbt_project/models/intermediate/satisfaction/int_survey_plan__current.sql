{{ current_rows("survey_plan", ref("stg_survey_plan__plan")) }}
