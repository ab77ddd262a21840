{{ current_rows("survey_responses", ref("stg_survey_responses__responses")) }}
