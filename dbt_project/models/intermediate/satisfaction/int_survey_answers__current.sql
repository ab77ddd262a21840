{{ current_rows("survey_answers", ref("stg_survey_answers__answers")) }}
