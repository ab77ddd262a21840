{# Value by satisfaction, and what to do in each cell; a customer who was not asked for long is unmeasured, not dissatisfied. #}
with
    scores as (select * from {{ ref("dim_customer_scores") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    classed as (
        select
            scores.customer_key,
            case
                when scores.tier in ('top_5', 'next_15')
                then 'high value'
                when scores.tier is not null
                then 'other value'
            end as value_class,
            case
                when
                    scores.satisfaction_class is null
                    or scores.scored_date
                    <= {{ add_months("as_of.as_of", -var("loyalty_window_months")) }}
                then 'unmeasured'
                when scores.satisfaction_class = 'satisfied'
                then 'satisfied'
                else 'not satisfied'
            end as satisfaction_state
        from scores
        cross join as_of
    ),

    final as (
        select
            *,
            value_class || ', ' || satisfaction_state as quadrant,
            case
                when value_class = 'high value' and satisfaction_state = 'satisfied'
                then 'thank and keep'
                when value_class = 'high value' and satisfaction_state = 'not satisfied'
                then 'find out why and put right first'
                when value_class = 'high value'
                then 'ask how satisfied they are'
                when value_class = 'other value' and satisfaction_state = 'satisfied'
                then 'offer more, ask to recommend'
                when
                    value_class = 'other value' and satisfaction_state = 'not satisfied'
                then 'put right at low cost'
                when value_class = 'other value'
                then 'include in the next survey'
            end as quadrant_action
        from classed
    )

select *
from final
