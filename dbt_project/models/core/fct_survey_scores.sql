with
    answers as (
        select *
        from {{ ref("fct_survey_answers") }}
        -- an answer without a number, or to a question that the list does not explain,
        -- scores nothing
        where score is not null and role is not null
    ),

    summed as (
        select
            response_key,
            source,
            survey_id,
            role,
            count(*) as answer_count,
            sum(score) as score_sum,
            -- items on different scales have no common mean
            case
                when min(scale_min) = max(scale_min) then min(scale_min)
            end as scale_min,
            case
                when min(scale_max) = max(scale_max) and count(scale_max) = count(*)
                then min(scale_max)
            end as scale_max
        from answers
        group by response_key, source, survey_id, role
    ),

    averaged as (
        select *, {{ rounded(div("score_sum", "answer_count"), 8) }} as score
        from summed
        where scale_min is not null or answer_count = 1
    ),

    final as (
        select
            {{ made_key(["response_key", "role"]) }} as score_key,
            response_key,
            source,
            survey_id,
            role,
            answer_count,
            score_sum,
            score,
            scale_min,
            scale_max,
            {{ scale_index("score", "scale_min", "scale_max") }} as score_index
        from averaged
    )

select *
from final
