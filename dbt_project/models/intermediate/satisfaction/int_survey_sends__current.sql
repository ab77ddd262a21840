{{ current_rows("survey_sends", ref("stg_survey_sends__sends")) }}
