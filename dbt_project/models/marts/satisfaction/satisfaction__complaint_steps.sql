{#
  The way of a complaint as steps from one state to the next. What respondents say and what tickets show are two bases
  and two chains; neither is ever divided by the other.
#}
with
    tickets as (
        select
            source,
            severity,
            case when is_answered then 'answered' else 'unanswered' end as answer,
            case
                speed
                when 'fast'
                then 'solved fast'
                when 'slow'
                then 'solved slowly'
                else 'not solved'
            end as solution,
            has_bought_again
        from {{ ref("fct_ticket_outcomes") }}
        where
            is_complaint
            and is_landmark_reached
            and speed is not null
            and is_answered is not null
    ),

    people as (
        select
            source,
            survey_id,
            case
                when has_complained then 'complained' else 'stayed silent'
            end as expression,
            has_repurchased
        from {{ ref("fct_survey_experiences") }}
        where
            respondent_type = 'customer'
            and satisfaction_class = 'dissatisfied'
            and has_complained is not null
    ),

    moves as (
        select
            source,
            'all' as survey_id,
            'tickets' as base,
            severity,
            'complained' as from_state,
            answer as to_state
        from tickets
        union all
        select
            source,
            'all' as survey_id,
            'tickets' as base,
            severity,
            answer as from_state,
            solution as to_state
        from tickets
        union all
        select
            source,
            'all' as survey_id,
            'tickets' as base,
            severity,
            solution as from_state,
            case
                when has_bought_again then 'bought again' else 'did not buy'
            end as to_state
        from tickets
        where has_bought_again is not null
        union all
        select
            source,
            survey_id,
            'respondents' as base,
            'all' as severity,
            'dissatisfied' as from_state,
            expression as to_state
        from people
        union all
        select
            source,
            survey_id,
            'respondents' as base,
            'all' as severity,
            expression as from_state,
            case
                when has_repurchased then 'bought again' else 'did not buy'
            end as to_state
        from people
        where has_repurchased is not null
    ),

    shown as (
        select source, survey_id, base, severity, from_state, to_state
        from moves
        union all
        select source, survey_id, base, 'all' as severity, from_state, to_state
        from moves
        where base = 'tickets'
    ),

    counted as (
        select
            source,
            survey_id,
            base,
            severity,
            from_state,
            to_state,
            count(*) as move_count
        from shown
        group by source, survey_id, base, severity, from_state, to_state
    ),

    based as (
        select
            *,
            cast(
                sum(move_count) over (
                    partition by source, survey_id, base, severity, from_state
                ) as bigint
            ) as from_count
        from counted
    ),

    final as (
        select
            source,
            survey_id,
            base,
            severity,
            from_state,
            to_state,
            move_count,
            from_count,
            from_count < {{ var("min_base") }} as is_suppressed,
            {{ suppress_small_rate("transition", "move_count", "from_count") }}
        from based
    )

select *
from final
